import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { run } from '../../src/cli/run.ts'
import { readConfig } from '../../src/config.ts'
import { StrongroomError } from '../../src/errors.ts'
import { runCommand } from '../support/command-line.ts'
import type { CommandOptions } from '../support/command-line.ts'

const commandNames = [
  'migrate',
  'backup',
  'restore',
  'verify',
  'inspect',
  'import',
  'tree',
  'check',
  'user',
  'user add',
  'user list',
  'user password',
  'user disable',
  'user enable',
  'mkdir',
  'mv',
  'rm',
  'tag',
  'tag add',
  'tag remove',
  'tag list',
]

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-command-line-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs a command line, its words divided by blanks, in the test's folder. */
const strongroom = (words: string | readonly string[], options: CommandOptions = {}) =>
  runCommand(typeof words === 'string' ? words.split(' ') : words, { workingDirectory: folder, ...options })

/** The same, for a command that must succeed. */
async function done(words: string | readonly string[], options: CommandOptions = {}) {
  const result = await strongroom(words, options)
  expect(result.stderr).toBe('')
  expect(result.exitCode).toBe(0)
  return result
}

async function makeInstance(): Promise<void> {
  await done('migrate')
  await done('user add ada', { stdin: 'a long secret\n' })
}

describe('help', () => {
  test.each(commandNames)('of %s has an example', async (name) => {
    const { stdout } = await done(`${name} --help`)
    expect(stdout).toContain(`Usage: strongroom ${name}`)
    expect(stdout).toContain('Example:\n  $ strongroom')
    expect(stdout).toContain('--json')
  })

  test('lists every command', async () => {
    const { stdout } = await done('--help')
    for (const name of commandNames.filter((each) => !each.includes(' ')))
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  test('may stand before the command that it is about', async () => {
    expect((await done('--help tag add')).stdout).toBe((await done('tag add --help')).stdout)
    expect((await done('--json -h backup')).stdout).toBe((await done('backup --help')).stdout)
  })

  test('of nothing says that a command is needed', async () => {
    const { exitCode, stderr, stdout } = await strongroom([])
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('strongroom needs a command')
  })
})

test('--version prints the version', async () => {
  expect((await done('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

describe('options of every command', () => {
  test.each([
    '--json user list --data x',
    'user --json list --data x',
    'user list --data x --json',
    '--data=x --json user list',
  ])('may stand anywhere: %s', async (words) => {
    await done('migrate --data x')
    expect(JSON.parse((await done(words)).stdout)).toMatchObject({ operation: 'user list', users: [] })
  })

  test('end at --', async () => {
    await makeInstance()
    await done('mkdir --user ada -- --json')
    expect((await done('tree --json')).stdout).toContain('"title":"--json"')
  })
})

describe('exit code', () => {
  test('1: a fault of the program, with a stack only where it was asked for', async () => {
    const sink = { stdout: collect(), stderr: collect() }
    const terminal = {
      stdin: process.stdin,
      stdout: sink.stdout.stream,
      stderr: sink.stderr.stream,
      workingDirectory: folder,
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
    await mkdir(join(folder, 'papers'))
    await writeFile(join(folder, 'papers', 'one.txt'), 'one')
    await symlink('one.txt', join(folder, 'papers', 'link.txt'))
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
    await writeFile(join(folder, 'broken.tar.gz'), 'no archive')
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

  test('5: the data directory of another program', async () => {
    await writeFile(join(folder, 'other'), '')
    expect(await failure('migrate --data .')).toMatchObject({ exitCode: 5, code: 'data.foreign' })
    expect(await failure('migrate --data other')).toMatchObject({ exitCode: 5, code: 'data.not_folder' })
    expect(await readdir(folder)).toEqual(['other'])
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
      expect(await readdir(folder)).toEqual([])
    },
  )

  test('6: in a container it says how to mount one', async () => {
    const environment = { STRONGROOM_CONTAINER: '1', STRONGROOM_DATA: folder }
    const { exitCode, stderr } = await strongroom('backup', { environment })
    expect(exitCode).toBe(6)
    expect(stderr).toContain('docker run -v')
  })

  test('6: the database has no schema', async () => {
    await done('migrate')
    await rm(join(folder, 'data', 'strongroom.db'))
    expect(await failure('tree')).toMatchObject({ exitCode: 6, code: 'schema.missing' })
  })

  test('7: somebody else is at work', async () => {
    await makeInstance()
    const app = createApp(readConfig({}, { data: 'data' }, folder))
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
    expect(await readdir(folder)).toEqual([])
  })

  test('9: a database that cannot be reached', async () => {
    expect(await failure('migrate --database postgres://127.0.0.1:1/x')).toMatchObject({
      exitCode: 9,
      code: 'database.unreachable',
    })
    expect(await readdir(folder)).toEqual([])
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
    const stderr = collect()
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })),
    })
    const exitCode = await run(['tree'], {
      stdin: process.stdin,
      stdout: broken,
      stderr: stderr.stream,
      workingDirectory: folder,
      signal: new AbortController().signal,
      openApp: async (given) => createApp(readConfig({}, given, folder)),
    })
    expect(exitCode).toBe(141)
    expect(stderr.text()).toBe('')
  })
})

describe('--json', () => {
  test('prints one report and nothing else, whatever the command', async () => {
    await mkdir(join(folder, 'papers'))
    await writeFile(join(folder, 'papers', 'one.txt'), 'one')
    const reports: unknown[] = []
    for (const words of [
      'migrate',
      'user add ada --superuser --email ada@example.org',
      'user list',
      'user password ada',
      'mkdir Taxes --user ada',
      'import papers --user ada',
      'mv .inbox/papers Taxes --user ada',
      'tag add Taxes important --user ada --pinned',
      'tag list --user ada',
      'tag remove Taxes important --user ada',
      'tag remove --everywhere important --user ada',
      'tree --text',
      'check',
      'backup out.tar.gz',
      'verify out.tar.gz',
      'inspect out.tar.gz',
      'restore out.tar.gz --migrate --data second',
      'rm Taxes --recursive --user ada',
    ]) {
      const { stdout } = await done(`${words} --json --quiet`, { stdin: 'a long secret\n' })
      expect(stdout.endsWith('}\n'), words).toBe(true)
      reports.push(JSON.parse(stdout))
    }
    expect(JSON.stringify(reports)).not.toMatch(/argon2|a long secret/)
  })

  test('prints an error as one object', async () => {
    const { stdout, stderr, exitCode } = await strongroom('tree --json')
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 6 })
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'data.missing',
        message: expect.stringContaining(folder) as string,
        hint: expect.stringContaining('migrate') as string,
        details: { path: join(folder, 'data') },
      },
    })
  })
})

describe('secrets', () => {
  test.each(['user add ada secret', 'user add ada --password secret', 'user password ada secret'])(
    'a password is no argument: %s',
    async (words) => {
      await done('migrate')
      expect((await strongroom(words)).exitCode).toBe(2)
    },
  )

  test('an empty password is refused', async () => {
    await done('migrate')
    expect(await failure('user add ada', { stdin: '' })).toMatchObject({ exitCode: 4, code: 'user.empty_password' })
  })

  test.each(['option', 'variable', 'file'])(
    'the password in a database address given as %s is never shown',
    async (how) => {
      const url = 'postgres://ada:s3cr%65t@127.0.0.1:1/x?password=s3cret2&sslpassword=s3cret3'
      const file = join(folder, 'url')
      await writeFile(file, url)
      const environment = {
        option: {},
        variable: { STRONGROOM_DATABASE_URL: url },
        file: { STRONGROOM_DATABASE_URL_FILE: file },
      }[how as 'option' | 'variable' | 'file']
      const words = ['migrate', '--debug', ...(how === 'option' ? ['--database', url] : [])]
      for (const format of [[], ['--json']]) {
        const { exitCode, stdout, stderr } = await strongroom([...words, ...format], { environment })
        expect(exitCode).toBe(9)
        expect(stdout + stderr).not.toMatch(/s3cr/)
      }
    },
  )
})

test('what cannot be seen in a name is shown as an escape', async () => {
  await makeInstance()
  const { stderr } = await strongroom(['tree', '--user', 'a\x1b[31m\u202eb\nc'])
  expect(stderr).toContain('a\\u{1b}[31m\\u{202e}b\\nc')
})

function collect() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

/** The exit code and the error's code of a command that must fail, both for people and for programs. */
async function failure(words: string | readonly string[], options: CommandOptions = {}) {
  const list = typeof words === 'string' ? words.split(' ') : words
  if (list.includes('--json')) {
    const { exitCode, stdout, stderr } = await strongroom(list, options)
    return { exitCode, code: (JSON.parse(stdout) as { error: { code: string } }).error.code, stderr }
  }
  const people = await strongroom(list, options)
  expect(people.stdout).toBe('')
  const [, message = '', hint = '', code] = /^error: (.+)\nwhat to do: (.+)\ncode: (\S+)\n$/m.exec(people.stderr) ?? []
  expect(`${message}${hint}`, people.stderr).not.toMatch(/\{\w+\}/)
  const at = list.includes('--') ? list.indexOf('--') : list.length
  const program = await strongroom([...list.slice(0, at), '--json', ...list.slice(at)], options)
  expect(program.exitCode).toBe(people.exitCode)
  expect(JSON.parse(program.stdout)).toMatchObject({ error: { code } })
  return { exitCode: people.exitCode, code, stderr: people.stderr }
}
