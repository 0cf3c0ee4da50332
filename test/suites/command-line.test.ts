import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { workplace } from '../support/workplace.ts'

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
  'trash',
  'trash list',
  'trash restore',
  'trash empty',
  'tag',
  'tag add',
  'tag remove',
  'tag list',
]

const { here, strongroom, done, makeInstance, failure } = workplace()

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

describe('--json', () => {
  test('prints one report and nothing else, whatever the command', async () => {
    await mkdir(join(here.folder, 'papers'))
    await writeFile(join(here.folder, 'papers', 'one.txt'), 'one')
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
      'rm Taxes --user ada',
      'trash list --user ada',
      'trash restore .home/Taxes --user ada --title Old',
      'rm Old --user ada',
      'trash empty --yes --older-than 0',
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
        message: expect.stringContaining(here.folder) as string,
        hint: expect.stringContaining('migrate') as string,
        details: { path: join(here.folder, 'data') },
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
      const file = join(here.folder, 'url')
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
