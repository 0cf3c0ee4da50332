import { mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { databases } from '../../test/support/databases.ts'
import { at, drill, drillPlace, later, madeAt, stateOf } from '../../test/support/drilling.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { docsFile, packPapermerge, papermerge } from '../../test/support/odd-archives.ts'
import { clientsGone } from '../../test/support/processes.ts'
import { hasSmallDisks, smallDisk } from '../../test/support/small-disk.ts'
import type { DrillReport } from '../contract/drill-report.ts'
import { lockDirectory } from '../database/sqlite-lock.ts'

const { here, createFilled, drillFolders, expectNothingLeft } = drillPlace()

describe('a drill', () => {
  test('takes the newest archive of a folder by the moments in the names, whatever the dates of the files', async () => {
    await using filled = await createFilled()
    const { instance, backups } = filled
    for (const moment of ['2026-11-25T23:00:00Z', '2026-11-25T09:00:00Z'])
      await instance.report(['backup', `${backups}/`], at(moment))
    await writeFile(join(backups, 'strongroom-notes.txt'), 'no archive')
    expect((await drill(instance, '--from', backups)).report).toMatchObject({
      source: 'newest',
      archive: { name: 'strongroom-20261125T230000Z.tar.gz' },
    })
  })

  test('without an archive in the folder ends with 6, and the state says that it failed', async () => {
    await using filled = await createFilled()
    const { instance, archive } = filled
    await drill(instance, archive)
    const empty = join(here.folder, 'no backups')
    await mkdir(empty)
    const { exitCode, stdout } = await instance.run(['drill', '--from', empty, '--json'], at('2026-11-27T00:00:00Z'))
    expect(exitCode).toBe(6)
    expect(stdout).toContain('drill.no_archive')
    expect(await stateOf(instance)).toMatchObject({
      outcome: 'failed',
      error: { code: 'drill.no_archive' },
      lastProved: { at: '2026-11-26T09:00:00.000000Z' },
    })
    const check = await instance.run(['check'], at('2026-11-27T00:00:00Z'))
    expect(check.stdout).toContain(
      'Last drill: failed on 2026-11-27T00:00:00.000000Z; proved on 2026-11-26T09:00:00.000000Z, today.',
    )
  })

  test('writes the report where it is told to, and keeps the last twenty in the data directory', async () => {
    await using filled = await createFilled()
    const { instance, archive } = filled
    const [text, json] = [join(here.folder, 'report.txt'), join(here.folder, 'report.json')]
    for (const file of [text, json]) await drill(instance, archive, '--report', file)
    expect(await readFile(text, 'utf8')).toMatch(/^Drill +2026-11-26T09:00:00.000000Z\nArchive +/)
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({ operation: 'drill', outcome: 'proved' })
    const drills = join(instance.dataDirectory, 'drills')
    for (let day = 1; day <= 25; day += 1) {
      const name = `drill-202510${String(day).padStart(2, '0')}T000000Z`
      for (const end of ['txt', 'json']) await writeFile(join(drills, `${name}.${end}`), '')
    }
    await drill(instance, archive)
    const names = (await readdir(drills)).toSorted()
    expect(names).toHaveLength(40)
    expect(names.slice(-2)).toEqual(['drill-20261126T090000Z.json', 'drill-20261126T090000Z.txt'])
  })

  test('proves an archive of Papermerge as far as that can be', async () => {
    const foreign = join(here.folder, 'papermerge.tar.gz')
    const nodes = [papermerge.folder('.inbox/'), papermerge.folder('.home/'), papermerge.document('.home/scan.pdf')]
    await packPapermerge(foreign, [papermerge.user({ nodes })], [docsFile(1, 'scan.pdf', 'a scan')])
    const { exitCode, stdout } = await runCommand(
      ['drill', foreign, '--json', '--data', join(here.folder, 'none')],
      later,
    )
    expect(exitCode).toBe(0)
    const { notProved, outcome, files } = JSON.parse(stdout) as DrillReport
    expect(outcome).toBe('proved')
    expect(files).toEqual([])
    expect(notProved.map(({ code }) => code)).toEqual(['no_hashes', 'not_compared', 'speed'])
  })

  test('clears up after those that are dead, and leaves what others hold alone', async () => {
    await using filled = await createFilled(databases[1])
    const { instance, archive } = filled
    const [dead, held] = ['strongroom-drill-Dead01', 'strongroom-drill-Held02'].map((name) =>
      join(here.temporary, name),
    )
    for (const path of [dead!, held!]) await mkdir(join(path, 'instance'), { recursive: true })
    const away = join(here.folder, 'elsewhere')
    await mkdir(away)
    await symlink(away, join(here.temporary, 'strongroom-drill-Link03'))
    const lock = await lockDirectory(held!, 'exclusive', 0)
    const client = new Client({ connectionString: instance.url })
    await client.connect()
    const [deadSchema, heldSchema] = ['a', 'b'].map((digit) => `strongroom_drill_${digit.repeat(32)}`)
    await client.query(`create schema ${deadSchema}; create schema ${heldSchema}`)
    await client.query('select pg_advisory_lock($1, hashtext($2))', [0x5354_5247, heldSchema])
    expect((await drill(instance, archive)).exitCode).toBe(0)
    expect((await drillFolders()).toSorted()).toEqual(['strongroom-drill-Held02', 'strongroom-drill-Link03'])
    const { rows } = await client.query("select nspname from pg_namespace where nspname like 'strongroom_drill%'")
    expect(rows).toEqual([{ nspname: heldSchema }])
    await lock?.[Symbol.asyncDispose]()
    await client.end()
    await unlink(join(here.temporary, 'strongroom-drill-Link03'))
    await clientsGone(instance.url)
    expect((await drill(instance, archive)).exitCode).toBe(0)
    await expectNothingLeft(instance)
  })

  test.runIf(hasSmallDisks('a drill on a full disk'))(
    'says before it writes that there is no room for it',
    async () => {
      await using filled = await createFilled()
      const { instance } = filled
      await fillDirectly(instance, async ({ user, node, version }) => {
        const { id, home } = await user({ username: 'large' })
        const document = await node({ user_id: id, parent_id: home, title: 'large', type: 'document' })
        await version({ user: id, document }, {}, 'x'.repeat(8_000_000))
      })
      const archive = join(here.folder, 'large.tar.gz')
      await instance.report(['backup', archive], madeAt)
      await using disk = await smallDisk(6_000_000)
      vi.stubEnv('TMPDIR', disk.path)
      const { exitCode, stdout } = await instance.run(['drill', archive, '--json'], later)
      vi.stubEnv('TMPDIR', here.temporary)
      expect(exitCode).toBe(9)
      expect(stdout).toContain('file.too_little_space')
      expect(await readdir(disk.path)).toEqual([])
      expect(await stateOf(instance)).toMatchObject({ outcome: 'failed', error: { code: 'file.too_little_space' } })
    },
  )

  test('goes to SQLite where the user of the database may make no schema, and says so', async () => {
    await using filled = await createFilled(databases[1])
    const { instance, archive } = filled
    const owner = new Client({ connectionString: instance.url })
    await owner.connect()
    const name = `drill_${process.pid}_${Date.now()}`
    try {
      await owner.query(`create role ${name} login password 'secret'`)
      await owner.query(`grant usage on schema public to ${name}; grant all on all tables in schema public to ${name}`)
      const url = new URL(instance.url!)
      Object.assign(url, { username: name, password: 'secret' })
      const { exitCode, stdout } = await runCommand(
        ['drill', archive, '--json', '--data', instance.dataDirectory, '--database', url.href],
        later,
      )
      const { restore, warnings } = JSON.parse(stdout) as DrillReport
      expect(exitCode).toBe(0)
      expect(restore?.database).toBe('SQLite')
      expect(warnings.byCode).toEqual({ 'drill.on_sqlite': 1 })
    } finally {
      await owner.query(`drop owned by ${name}; drop role ${name}`)
      await owner.end()
    }
  })

  test('ends with 2 for what cannot be meant, and with 6 without an instance and an archive', async () => {
    await using filled = await createFilled()
    const { instance, archive, backups } = filled
    expect((await instance.run(['drill', archive, '--from', backups])).exitCode).toBe(2)
    expect((await instance.run(['drill', '-'])).exitCode).toBe(2)
    expect((await runCommand(['drill', '--data', join(here.folder, 'none')])).exitCode).toBe(6)
    expect((await instance.run(['drill', join(here.folder, 'nothing.tar.gz')])).exitCode).toBe(6)
  })
})
