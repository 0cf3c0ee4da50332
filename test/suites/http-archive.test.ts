import { execFile, execFileSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { InspectReport } from '../../src/contract/inspect-report.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { extract, hashesBelow } from '../support/extracting.ts'
import { fillPlain } from '../support/fixtures.ts'
import { hasProgram, needs } from '../support/needs.ts'
import { always, serveFile, type RangeServer, type TlsPair } from '../support/range-server.ts'
import { temporaryFolder } from '../support/small-instance.ts'
import { workplace } from '../support/workplace.ts'

const hasOpenssl = needs('openssl', hasProgram('openssl', 'version'), 'certificates that are not trusted')
const program = join(import.meta.dirname, '../../src/main.ts')

const { failure } = workplace()
let owned: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(owned.path, name)
let server: RangeServer

beforeAll(async () => {
  owned = await temporaryFolder()
  const identity = await generateX25519Identity()
  await writeFile(at('key'), identity)
  await using instance = await createCommandInstance(databases[0]!)
  await fillPlain(instance, 30, 300_000)
  await instance.report(['backup', at('plain.tar.gz')])
  await instance.report(['backup', at('sealed.age'), '--recipient', await identityToRecipient(identity)])
  server = await serveFile(at('plain.tar.gz'))
})
afterEach(() => {
  server.hook = undefined
  server.reset()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await owned[Symbol.asyncDispose]()
})

async function report<T>(args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await runCommand(['--json', ...args])
  expect(exitCode, stdout + stderr).toBe(0)
  return JSON.parse(stdout) as T
}

describe.each([
  ['plain.tar.gz', []],
  ['sealed.age', ['--key-file', 'key']],
])('%s on a web server', (name, [option, key]) => {
  const keys = (): string[] => (option === undefined ? [] : [option, at(key!)])
  const url = (): string => `${server.origin}/${name}`

  test('is inspected as the file is, in a few requests', async () => {
    server.file = at(name)
    const ofFile = await report<InspectReport>(['inspect', at(name), ...keys()])
    const ofUrl = await report<InspectReport>(['inspect', url(), ...keys()])
    expect(ofUrl).toEqual({ ...ofFile, archive: url() })
    expect(ofUrl).toMatchObject({ reading: 'part', documents: 30 })
    expect(ofUrl.archiveBytes).toBeGreaterThan(9_000_000)
    expect(server.requests).toBeLessThan(15)
  })

  test('is looked around in', async () => {
    server.file = at(name)
    for (const words of ['--tree', '--find 17.bin', '--path .inbox/Papers --user ada']) {
      const args = ['--json', 'inspect', ...words.split(' '), ...keys()]
      const [ofFile, ofUrl] = [await runCommand([...args, at(name)]), await runCommand([...args, url()])]
      expect(ofUrl.exitCode).toBe(0)
      expect(ofUrl.stdout.replaceAll(url(), at(name))).toBe(ofFile.stdout)
    }
  })

  test('gives its documents, byte for byte', async () => {
    server.file = at(name)
    await extract(0, at(name), '--to', at(`${name}-file`), ...keys())
    const ofUrl = await extract(0, url(), '--to', at(`${name}-url`), ...keys())
    expect(ofUrl).toMatchObject({ archive: url(), files: 30, proved: true })
    expect(await hashesBelow(at(`${name}-url`))).toEqual(await hashesBelow(at(`${name}-file`)))
    const one = await runCommand(['extract', url(), '--to', '-', '.inbox/Papers/folder 1/document 17.bin', ...keys()])
    expect(one.stdoutBytes.equals(await readFile(at(`${name}-file/ada/inbox/Papers/folder 1/document 17.bin`)))).toBe(
      true,
    )
  })

  test('comes over connections that break again and again', async () => {
    server.file = at(name)
    server.hook = (_asked, response, number) => {
      if (number % 3 !== 0) return false
      setTimeout(() => response.destroy(), 5)
      return false
    }
    expect(await report<InspectReport>(['inspect', url(), ...keys()])).toMatchObject({ documents: 30 })
  })

  test('is copied to disk first where its server gives no parts, which is said', async () => {
    server.hook = async (_asked, response) => {
      response.writeHead(200).end(await readFile(at(name)))
      return true
    }
    const found = await report<InspectReport>(['inspect', url(), ...keys()])
    expect(found).toMatchObject({ archive: url(), documents: 30 })
    expect(found.warnings.listed).toMatchObject([{ code: 'archive.copied', about: url() }])
    await extract(0, url(), '--to', at(`${name}-copied`), ...keys())
    expect(await hashesBelow(at(`${name}-copied`))).toHaveLength(30)
    expect(server.requests).toBe(2)
  })

  test('is not believed where it is changed while it is read', async () => {
    server.file = at(name)
    server.hook = (_asked, response, number) => {
      if (number < 5) return false
      response.writeHead(412).end()
      return true
    }
    expect(await failure(['inspect', url(), ...keys(), '--keep-going'])).toMatchObject({
      exitCode: 4,
      code: 'archive.changed',
    })
  })
})

test.each([
  [404, 6, 'archive.url_not_found'],
  [401, 8, 'archive.url_denied'],
  [403, 8, 'archive.url_denied'],
  [451, 9, 'archive.http_status'],
])('status %i: exit code %i, %s', async (status, exitCode, code) => {
  server.hook = always(status)
  for (const args of [['inspect'], ['extract', '--to', at('never')]])
    expect(await failure([...args, `${server.origin}/x`])).toMatchObject({ exitCode, code })
  expect(await readdir(owned.path)).not.toContain('never')
})

test('what is no archive, and nobody at the address', async () => {
  server.file = at('key')
  expect(await failure(['inspect', `${server.origin}/x`])).toMatchObject({
    exitCode: 4,
    code: 'archive.not_an_archive',
  })
  expect(await failure('inspect http://127.0.0.1:1/x')).toMatchObject({ exitCode: 9, code: 'archive.unreachable' })
  expect(await failure('inspect HTTPS://')).toMatchObject({ exitCode: 2, code: 'archive.invalid_url' })
})

test('a name, a password and a signature are told to the server, and to nobody else', async () => {
  server.file = at('plain.tar.gz')
  const url = `${server.origin.replace('//', '//ada:geheim@')}/plain.tar.gz?signature=geheim`
  const shown: string[] = []
  const say = async (...args: readonly string[]): Promise<number> => {
    const { exitCode, stdout, stderr } = await runCommand(args)
    shown.push(stdout, stderr)
    return exitCode
  }
  expect(await say('inspect', url)).toBe(0)
  expect(await say('--json', 'extract', url, '--to', at('named'))).toBe(0)
  const [asked] = server.asked
  expect(asked?.path).toBe('/plain.tar.gz?signature=geheim')
  expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from('ada:geheim').toString('base64')}`)
  for (const status of [403, 404]) {
    server.hook = always(status)
    await say('--debug', 'inspect', url)
  }
  await say('--debug', 'inspect', url.replace(/:\d+\//, ':1/'))
  await say('--debug', 'inspect', 'https://ada:geheim@[/x')
  await say('--debug', 'verify', url)
  await say('--debug', 'prune', url, '--keep-last', '1')
  expect(shown.join('')).toContain(`${server.origin}/plain.tar.gz`)
  expect(shown.join('')).not.toMatch(/geheim|ada:/)
})

test.each([
  'verify URL',
  'restore URL --migrate',
  'compare URL',
  'compare /dev/null URL',
  'drill URL',
  'drill --from URL',
  'prune URL --keep-last 1',
  'backup URL',
  'import URL --user ada',
])('%s: only inspect and extract take a URL', async (words) => {
  const url = 'Https://ada:geheim@127.0.0.1:1/x/'
  const { exitCode, code, stderr } = await failure(words.replace('URL', url))
  expect({ exitCode, code }).toEqual({ exitCode: 2, code: 'usage.url' })
  expect(stderr).toContain('Download')
  expect(stderr).not.toContain('geheim')
})

describe.runIf(hasOpenssl)('over https', () => {
  let secure: RangeServer

  beforeAll(async () => {
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const files = ['-keyout', at('tls.key'), '-out', at('tls.crt')]
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', [...make, ...names, ...files], { stdio: 'ignore' })
    const pair: TlsPair = { key: await readFile(at('tls.key'), 'utf8'), cert: await readFile(at('tls.crt'), 'utf8') }
    secure = await serveFile(at('plain.tar.gz'), pair)
  })
  afterAll(() => secure[Symbol.asyncDispose]())

  test('a server that nobody vouches for is not read from', async () => {
    const { exitCode, code, stderr } = await failure(['inspect', `${secure.origin}/plain.tar.gz`])
    expect({ exitCode, code }).toEqual({ exitCode: 9, code: 'archive.untrusted_server' })
    expect(stderr).toContain('NODE_EXTRA_CA_CERTS')
    expect(secure.requests).toBe(0)
  })

  test('one that NODE_EXTRA_CA_CERTS vouches for is, and nowhere does it lead to http', async () => {
    const env = { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: at('tls.crt') }
    const inspect = () =>
      promisify(execFile)(process.execPath, [program, '--json', 'inspect', `${secure.origin}/x`], { env })
    const { stdout } = await inspect()
    expect(JSON.parse(stdout)).toMatchObject({ archive: `${secure.origin}/x`, documents: 30 })
    secure.hook = always(302, { location: server.origin })
    await expect(inspect()).rejects.toMatchObject({ code: 9, stdout: expect.stringContaining('archive.bad_answer') })
    expect(server.requests).toBe(0)
  })
})

test('NODE_USE_ENV_PROXY=1 asks the proxy that the environment names', async () => {
  server.file = at('plain.tar.gz')
  const env = { PATH: process.env['PATH'], NODE_USE_ENV_PROXY: '1', HTTP_PROXY: server.origin }
  const url = 'http://strongroom.invalid/plain.tar.gz'
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--json', 'inspect', url], { env })
  expect(JSON.parse(stdout)).toMatchObject({ archive: url, documents: 30 })
  expect(server.asked[0]?.path).toBe(url)
})
