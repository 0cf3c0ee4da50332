import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { createCommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import {
  aFile,
  docsFile,
  editMetadata,
  packArchive,
  packPapermerge,
  papermerge,
  rewriteArchive,
  unpackArchive,
  type Member,
} from '../../test/support/odd-archives.ts'
import { fillSmall, type SmallInstance } from '../../test/support/small-instance.ts'
import type { VerifyReport } from '../contract/verify-report.ts'

let folder = ''
let sound = ''
let place: SmallInstance

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-verify-'))
  sound = join(folder, 'sound.tar.gz')
  await using instance = await createCommandInstance(databases[0]!)
  place = await fillSmall(instance)
  await instance.report(['backup', sound])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

// It needs no instance; the folder that they run in holds none.
async function verify(path: string): Promise<VerifyReport & { readonly exitCode: number }> {
  const { exitCode, stdout } = await runCommand(['--json', 'verify', path], { workingDirectory: folder })
  return { ...(JSON.parse(stdout) as VerifyReport), exitCode }
}

/** Undefined where it cannot be decompressed. */
function unzipped(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes)
  } catch {
    return undefined
  }
}

async function altered(edit: (members: readonly Member[]) => readonly Member[]): Promise<string> {
  const to = join(folder, 'altered.tar.gz')
  await rewriteArchive({ from: sound, to, scratch: folder }, edit)
  return to
}

describe('verify', () => {
  test('says of a sound archive that it is sound and proved, and what is in it', async () => {
    expect(await verify(sound)).toMatchObject({
      exitCode: 0,
      operation: 'verify',
      sound: true,
      proved: true,
      findings: { total: 0 },
      warnings: { total: 0 },
      users: 2,
      documents: 1,
      versions: 2,
      writer: expect.stringMatching(/^Strongroom /),
      created: expect.stringMatching(/Z$/),
    })
    expect(await readdir(folder)).not.toContain('data')
  })

  test('takes an archive from standard input', async () => {
    const bytes = await readFile(sound)
    const { exitCode, stdout } = await runCommand(['--json', 'verify', '-'], { stdin: Readable.from([bytes]) })
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { sound: true, proved: true, archive: 'standard input' }])
  })

  test('of an archive of Papermerge proves nothing, and still says that a restore would take it', async () => {
    const path = join(folder, 'papermerge.tar.gz')
    const nodes = [papermerge.folder('.home/'), papermerge.document('.home/scan.pdf')]
    await packPapermerge(path, [papermerge.user({ nodes })], [docsFile(1, 'scan.pdf', 'x')])
    expect(await verify(path)).toMatchObject({
      exitCode: 0,
      sound: true,
      proved: false,
      writer: 'Papermerge 2.1.9',
      documents: 1,
    })
  })

  test('tells all that is wrong, not the first', async () => {
    const path = await altered((members) => {
      const damaged = members.flatMap((member) => {
        if (member.name === place.earlier) return []
        if (member.name === place.original || member.name === place.sidecar) return [aFile(member.name, 'other')]
        return [member]
      })
      return editMetadata(({ users }) => {
        for (const user of users) user.strongroom['groups'] = ['11111111-1111-4111-8111-111111111111']
      })(damaged)
    })
    const report = await verify(path)
    expect(report).toMatchObject({ exitCode: 4, sound: false, proved: false })
    expect(report.findings.byCode).toEqual({
      'archive.missing_file': 1,
      'archive.checksum_mismatch': 2,
      'archive.invalid_metadata': 2,
    })
    const about = report.findings.listed.map((finding) => finding.about)
    expect(about).toEqual(expect.arrayContaining([place.earlier, place.original, place.sidecar]))
  })

  test('goes on where two documents have one id, and finds what else is wrong', async () => {
    const doubled = await altered(
      editMetadata((metadata) => {
        const { nodes } = metadata.users.find(({ username }) => username === 'ada')!
        const original = nodes.find(({ versions }) => versions !== undefined)!
        const twin = structuredClone(original)
        twin['title'] = 'twin.pdf'
        for (const version of twin.versions ?? [])
          version['strongroom'] = { id: randomUUID(), file_name: null, size: null }
        nodes.push(twin)
        nodes[0]!['created_at'] = 7
      }),
    )
    const { exitCode, findings } = await verify(doubled)
    expect([exitCode, findings.byCode]).toEqual([4, { 'archive.invalid_metadata': expect.any(Number) as number }])
    expect(findings.listed.filter(({ message }) => /two nodes have the id|created_at/.test(message))).toHaveLength(2)
  })

  test('finds that backup.json gives another size than a file has, though its hash is right', async () => {
    const path = await altered(
      editMetadata(({ users }) => {
        for (const version of users.flatMap(({ nodes }) => nodes.flatMap(({ versions }) => versions ?? []))) {
          version['size'] = 1
          for (const page of version['pages'] as { strongroom: { sidecars?: { size: number }[] } }[]) {
            for (const sidecar of page.strongroom.sidecars ?? []) sidecar.size = 1
          }
        }
      }),
    )
    const { exitCode, findings } = await verify(path)
    expect([exitCode, findings.byCode]).toEqual([4, { 'archive.invalid_metadata': 3 }])
  })

  test('finds a member that differs from SHA256SUMS, one that it lacks, and one that it does not name', async () => {
    const members = await unpackArchive(sound)
    const path = join(folder, 'plain.tar.gz')
    const swap = (name: string, content: string) =>
      members.map((member) => (member.name === name ? aFile(name, content) : member))
    await packArchive(path, swap('README.txt', 'Trust me'))
    expect((await verify(path)).findings.byCode).toEqual({ 'archive.checksum_mismatch': 1 })
    await packArchive(
      path,
      members.filter(({ name }) => name !== 'README.txt'),
    )
    expect((await verify(path)).findings.byCode).toMatchObject({ 'archive.damaged': expect.any(Number) })
    await packArchive(path, [...members.slice(0, -2), aFile('added.txt', 'more'), ...members.slice(-2)])
    expect((await verify(path)).findings.byCode).toMatchObject({ 'archive.damaged': expect.any(Number) })
    await packArchive(path, members)
    expect(await verify(path)).toMatchObject({
      exitCode: 0,
      sound: true,
      warnings: { byCode: { 'archive.recompressed': 1 } },
    })
  })

  test('finds that the end is missing, wherever the archive was cut', async () => {
    const bytes = await readFile(sound)
    const path = join(folder, 'cut.tar.gz')
    for (const length of [
      bytes.length - 1,
      bytes.length - 8,
      bytes.length - 1554,
      bytes.length - 1600,
      2000,
      600,
      20,
      11,
    ]) {
      await writeFile(path, bytes)
      await truncate(path, length)
      const report = await verify(path)
      expect(report, `${length} bytes`).toMatchObject({ exitCode: 4, sound: false, proved: false })
      expect(report.findings.byCode, `${length} bytes`).toHaveProperty(['archive.truncated'])
    }
  })

  test('finds a byte that is not what it was, wherever it lies', async () => {
    const bytes = await readFile(sound)
    const path = join(folder, 'flipped.tar.gz')
    for (let position = 10; position < bytes.length; position += Math.ceil(bytes.length / 40)) {
      const flipped = Buffer.from(bytes)
      flipped[position]! ^= 0x10
      await writeFile(path, flipped)
      // A reference to an earlier place may come to lead to another one with the same bytes; then nothing has changed.
      const same = unzipped(flipped)?.equals(gunzipSync(bytes)) === true
      expect(await verify(path), `byte ${position}`).toMatchObject({ exitCode: same ? 0 : 4, sound: same })
    }
  })

  test('finds that the same data was packed with another end', async () => {
    const tar = gunzipSync(await readFile(sound))
    const path = join(folder, 'again.tar.gz')
    await writeFile(path, gzipSync(tar.subarray(0, tar.length - 10_240)))
    expect((await verify(path)).exitCode).toBe(4)
  })

  test.each([
    ['nothing', ''],
    ['something else', 'not an archive'],
    ['an empty gzip file', gzipSync('')],
  ])('refuses %s', async (_what, content) => {
    const path = join(folder, 'other')
    await writeFile(path, content)
    const { exitCode } = await runCommand(['verify', path])
    expect(exitCode).toBe(4)
  })

  test('says that there is no such file, and that a folder is none', async () => {
    expect((await runCommand(['verify', join(folder, 'none')])).exitCode).toBe(6)
    expect((await runCommand(['verify', folder])).exitCode).toBe(4)
  })
})
