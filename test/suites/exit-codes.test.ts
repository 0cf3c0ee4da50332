import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, expect, inject, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { run } from '../../src/cli/run.ts'
import { readConfig } from '../../src/config.ts'
import { StrongroomError } from '../../src/errors.ts'
import { collectText, workplace } from '../support/workplace.ts'

const { here, strongroom, done, makeInstance, failure } = workplace()

describe('exit code', () => {
  test('1: a fault of the program, with a stack only where it was asked for', async () => {
    const sink = { stdout: collectText(), stderr: collectText() }
    const terminal = {
      stdin: process.stdin,
      stdout: sink.stdout.stream,
      stderr: sink.stderr.stream,
      workingDirectory: here.folder,
      signal: new AbortController().signal,
      openApp: () => Promise.reject(new TypeError('x is not a function', { cause: new Error('deep below') })),
    }
    expect(await run(['user', 'list'], terminal)).toBe(1)
    expect(sink.stderr.text()).toContain('x is not a function')
    expect(sink.stderr.text()).not.toMatch(/^ +at /m)
    expect(await run(['user', 'list', '--debug'], terminal)).toBe(1)
    expect(sink.stderr.text()).toMatch(/^ +at /m)
    expect(sink.stderr.text()).toContain('caused by: Error: deep below')
  })

  test.each([
    ['an unknown command', 'frobnicate', 'usage.unknown_command'],
    ['an unknown option', 'backup --frobnicate', 'usage.invalid'],
    ['an unknown option of all', '--frobnicate', 'usage.unknown_command'],
    ['a missing argument', 'restore', 'usage.invalid'],
    ['an argument too many', 'verify a b', 'usage.invalid'],
    ['a missing option', 'mkdir a', 'usage.invalid'],
    ['an option without its value', 'tree --user', 'usage.invalid'],
    ['a value that is none of the choices', 'backup --links soft', 'usage.invalid'],
    ['an archive and a report on one output', 'backup - --json', 'usage.invalid'],
    ['a tag without its path', 'tag remove a --user ada', 'usage.invalid'],
    ['a database address that is none', 'user list --database mysql://x', 'database.invalid_url'],
  ])('2: %s', async (_what, words, code) => {
    await done('migrate')
    expect(await failure(words)).toMatchObject({ exitCode: 2, code })
  })

  test('3: something was left out, and the report names it', async () => {
    await makeInstance()
    await mkdir(join(here.folder, 'papers'))
    await writeFile(join(here.folder, 'papers', 'one.txt'), 'one')
    await symlink('one.txt', join(here.folder, 'papers', 'link.txt'))
    const { exitCode, stdout } = await strongroom('import papers --user ada --json')
    expect(exitCode).toBe(3)
    const { leftOut } = JSON.parse(stdout) as { leftOut: { total: number; listed: { about: string }[] } }
    expect(leftOut.total).toBe(1)
    expect(leftOut.listed[0]?.about).toContain('link.txt')
    const people = await strongroom('import papers --user ada --quiet')
    expect(people.stderr).toMatch(/^left out: .*link\.txt/)
  })

  test.each(['restore', 'verify', 'inspect'])('4: %s of a file that is no archive', async (command) => {
    await done('migrate')
    await writeFile(join(here.folder, 'broken.tar.gz'), 'no archive')
    expect(await failure(`${command} broken.tar.gz`)).toMatchObject({ exitCode: 4 })
  })

  test('4: a name with a NUL', async () => {
    await makeInstance()
    expect(await failure(['mkdir', 'a\0b', '--user', 'ada'])).toMatchObject({ exitCode: 4, code: 'text.nul' })
  })

  test('5: it is there already', async () => {
    await makeInstance()
    expect(await failure('user add ada', { stdin: 'x\n' })).toMatchObject({ exitCode: 5, code: 'user.exists' })
  })

  test('5: a restore of what is there, and different', async () => {
    await makeInstance()
    await done('mkdir .home/Taxes --user ada')
    await done('backup out.tar.gz')
    await done('tag add .home/Taxes urgent --user ada')
    expect(await failure('restore out.tar.gz')).toMatchObject({ exitCode: 5, code: 'restore.conflicts' })
    await done('restore out.tar.gz --on-conflict skip')
  })

  test('5: the data directory of another program', async () => {
    await writeFile(join(here.folder, 'other'), '')
    expect(await failure('migrate --data .')).toMatchObject({ exitCode: 5, code: 'data.foreign' })
    expect(await failure('migrate --data other')).toMatchObject({ exitCode: 5, code: 'data.not_folder' })
    expect(await readdir(here.folder)).toEqual(['other'])
  })

  test('6: what was named does not exist', async () => {
    await makeInstance()
    expect(await failure('tree --user bob')).toMatchObject({ exitCode: 6, code: 'user.not_found' })
    expect(await failure('rm a --user ada')).toMatchObject({ exitCode: 6, code: 'node.not_found' })
    expect(await failure('verify nothing.tar.gz')).toMatchObject({ exitCode: 6, code: 'file.not_found' })
  })

  test.each(['tree', 'backup', 'check', 'user list', 'restore x', 'import . --user ada'])(
    '6: there is no instance, and %s makes none',
    async (words) => {
      expect(await failure(words)).toMatchObject({ exitCode: 6, code: 'data.missing' })
      expect(await readdir(here.folder)).toEqual([])
    },
  )

  test('6: in a container it says how to mount one', async () => {
    const environment = { STRONGROOM_CONTAINER: '1', STRONGROOM_DATA: here.folder }
    const { exitCode, stderr } = await strongroom('backup', { environment })
    expect(exitCode).toBe(6)
    expect(stderr).toContain('docker run -v')
  })

  test('6: the database has no schema', async () => {
    await done('migrate')
    await rm(join(here.folder, 'data', 'strongroom.db'))
    expect(await failure('tree')).toMatchObject({ exitCode: 6, code: 'schema.missing' })
  })

  test('7: somebody else is at work', async () => {
    await makeInstance()
    const app = createApp(readConfig({}, { data: 'data' }, here.folder))
    const overrides = { lockWaitSeconds: 0 }
    {
      await using alone = await app.open({ access: 'exclusive', command: 'restore' })
      expect(alone).toBeDefined()
      expect(await failure('mkdir a --user ada', { overrides })).toMatchObject({
        exitCode: 7,
        code: 'instance.closed_to_writers',
      })
    }
    await using beside = await app.open({ access: 'write', command: 'backup' })
    expect(beside).toBeDefined()
    expect(await failure('restore x', { overrides })).toMatchObject({ exitCode: 7, code: 'instance.busy' })
    await done('mkdir a --user ada', { overrides })
    await done('migrate', { overrides })
  })

  test('8: a wrong password of the database', async () => {
    const url = new URL(inject('postgresUrl'))
    url.password = 's3cret-and-wrong'
    const result = await failure(['migrate', '--database', url.href])
    expect(result).toMatchObject({ exitCode: 8, code: 'database.denied' })
    expect(await readdir(here.folder)).toEqual([])
  })

  test('9: a database that cannot be reached', async () => {
    expect(await failure('migrate --database postgres://127.0.0.1:1/x')).toMatchObject({
      exitCode: 9,
      code: 'database.unreachable',
    })
    expect(await readdir(here.folder)).toEqual([])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('of a command that %s ends', async (name, expected) => {
    await makeInstance()
    const interrupted = AbortSignal.abort(new StrongroomError('program.interrupted', { signal: name }))
    expect(await failure('tree', { signal: interrupted })).toMatchObject({
      exitCode: expected,
      code: 'program.interrupted',
    })
  })

  test('of a command that is ended while it waits for a password', async () => {
    await done('migrate')
    const stdin = new PassThrough()
    stdin.write('half a pass')
    const interrupted = new AbortController()
    const ended = failure('user add ada --json', { stdin, signal: interrupted.signal })
    while (stdin.readableLength > 0) await new Promise((resolve) => setImmediate(resolve))
    interrupted.abort(new StrongroomError('program.interrupted', { signal: 'SIGTERM' }))
    expect(await ended).toMatchObject({ exitCode: 143, code: 'program.interrupted' })
    expect((await done('user list --json')).stdout).toContain('"users":[]')
  })

  test('141: the reader of the output went away, and nothing is said about it', async () => {
    await makeInstance()
    const stderr = collectText()
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })),
    })
    const exitCode = await run(['tree'], {
      stdin: process.stdin,
      stdout: broken,
      stderr: stderr.stream,
      workingDirectory: here.folder,
      signal: new AbortController().signal,
      openApp: async (given) => createApp(readConfig({}, given, here.folder)),
    })
    expect(exitCode).toBe(141)
    expect(stderr.text()).toBe('')
  })
})
