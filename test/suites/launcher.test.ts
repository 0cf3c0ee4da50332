import { execFile, spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const project = join(import.meta.dirname, '..', '..')
const pinned = `node-linux-${process.arch}`

let folder: string
/** A checkout of its own, in which nothing has been installed. */
let checkout: string
/** Stands before PATH; holds an npm that notes each start, takes its time, and "installs" by linking what is there. */
let programs: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-launcher-'))
  checkout = join(folder, 'checkout')
  programs = join(folder, 'programs')
  for (const name of ['strongroom', 'package.json', 'package-lock.json', 'scripts/bootstrap.mjs']) {
    await cp(join(project, name), join(checkout, name))
  }
  await symlink(join(project, 'src'), join(checkout, 'src'))
  await mkdir(programs)
  await symlink(process.execPath, join(programs, 'node'))
  await writeFile(
    join(programs, 'npm'),
    `#!/bin/sh
echo "$@" >>'${folder}/npm-was-called'
sleep 0.3
[ ! -e '${folder}/npm-fails' ] || { echo 'npm ERR! the registry is gone' >&2; exit 1; }
rm -rf '${checkout}/node_modules'
mkdir '${checkout}/node_modules'
ln -s '${project}/node_modules/${pinned}' '${checkout}/node_modules/${pinned}'
`,
  )
  await chmod(join(programs, 'npm'), 0o755)
})

afterEach(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function start(
  program: string,
  args: readonly string[] = ['--version'],
  cwd = folder,
  path = `${programs}:/usr/bin:/bin`,
) {
  const environment = { PATH: path, HOME: folder }
  try {
    return { code: 0, ...(await promisify(execFile)(program, args, { cwd, env: environment })) } as Ended
  } catch (error) {
    return error as Ended
  }
}

const callsOfNpm = () =>
  readFile(join(folder, 'npm-was-called'), 'utf8').then(
    (text) => text.trimEnd().split('\n').length,
    () => 0,
  )

const version = expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string

test('it sets up on the first start, says so in one line, and not again', async () => {
  const first = await start(join(checkout, 'strongroom'))
  expect(first).toMatchObject({ code: 0, stdout: version })
  expect(first.stderr).toMatch(/^Setting up: [^\n]+\n$/)
  expect(await start(join(checkout, 'strongroom'))).toMatchObject({ code: 0, stdout: version, stderr: '' })
  expect(await callsOfNpm()).toBe(1)
})

test('a changed lockfile is set up anew', async () => {
  await start(join(checkout, 'strongroom'))
  await writeFile(join(checkout, 'package-lock.json'), '{}\n')
  expect((await start(join(checkout, 'strongroom'))).stderr).toContain('Setting up')
  expect(await callsOfNpm()).toBe(2)
})

test('what Node compiled is kept beside what was installed', async () => {
  await start(join(checkout, 'strongroom'))
  const kept = join(checkout, 'node_modules', '.strongroom', 'compiled')
  const [ofThisNode] = await readdir(kept)
  expect((await readdir(join(kept, ofThisNode!))).length).toBeGreaterThan(50)
})

test('of several at once one sets up and the others wait for it', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => start(join(checkout, 'strongroom'))))
  for (const one of all) expect(one).toMatchObject({ code: 0, stdout: version })
  expect(await callsOfNpm()).toBe(1)
})

test('if the one that sets up is killed, one that waits takes over', async () => {
  const killed = spawn(process.execPath, [join(checkout, 'scripts', 'bootstrap.mjs')], {
    env: { PATH: `${programs}:/usr/bin:/bin` },
    detached: true,
    stdio: 'ignore',
  })
  while ((await callsOfNpm()) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const waiting = start(join(checkout, 'strongroom'))
  process.kill(-killed.pid!, 'SIGKILL')
  expect(await waiting).toMatchObject({ code: 0, stdout: version })
  expect(await callsOfNpm()).toBe(2)
})

test('a failed set-up shows what npm said, and is tried again', async () => {
  await writeFile(join(folder, 'npm-fails'), '')
  const failed = await start(join(checkout, 'strongroom'))
  expect(failed).toMatchObject({ code: 9, stdout: '' })
  expect(failed.stderr).toContain('the registry is gone')
  await rm(join(folder, 'npm-fails'))
  expect(await start(join(checkout, 'strongroom'))).toMatchObject({ code: 0, stdout: version })
})

test('once set up it needs neither npm nor another Node', async () => {
  await start(join(checkout, 'strongroom'))
  await rm(programs, { recursive: true })
  const bare = await toolsWithoutNode()
  expect(await start(join(checkout, 'strongroom'), ['--version'], folder, bare)).toMatchObject({
    code: 0,
    stdout: version,
    stderr: '',
  })
})

test('without npm it says what is missing', async () => {
  const bare = await toolsWithoutNode()
  const refused = await start(join(checkout, 'strongroom'), ['--version'], folder, bare)
  expect(refused.code).toBe(9)
  expect(refused.stderr).toContain('Install Node 20 or newer')
})

test('a packaged program without a lockfile never sets up', async () => {
  await start(join(checkout, 'strongroom'))
  await rm(join(checkout, 'package-lock.json'))
  await rm(join(checkout, 'node_modules', '.strongroom'), { recursive: true })
  expect(await start(join(checkout, 'strongroom'))).toMatchObject({ code: 0, stdout: version, stderr: '' })
  expect(await callsOfNpm()).toBe(1)
})

test('it runs from any folder and through chains of links, absolute and relative', async () => {
  await start(join(checkout, 'strongroom'))
  await mkdir(join(folder, 'a b', 'c'), { recursive: true })
  await symlink(join(checkout, 'strongroom'), join(folder, 'a b', 'absolute'))
  await symlink('../absolute', join(folder, 'a b', 'c', 'relative'))
  await symlink('a b/c/relative', join(folder, 'chain'))
  await symlink(folder, `${folder}-link`)
  try {
    expect(await start('./chain')).toMatchObject({ code: 0, stdout: version })
    expect(await start(join(`${folder}-link`, 'chain'), ['--version'], '/')).toMatchObject({ code: 0, stdout: version })
    expect(await start('../../chain', ['--version'], join(folder, 'a b', 'c'))).toMatchObject({
      code: 0,
      stdout: version,
    })
    const onPath = `${join(folder, 'a b', 'c')}:/usr/bin:/bin`
    expect(await start('relative', ['--version'], '/', onPath)).toMatchObject({ code: 0, stdout: version })
    expect(await start('/bin/sh', ['strongroom', '--version'], checkout)).toMatchObject({ code: 0, stdout: version })
  } finally {
    await rm(`${folder}-link`)
  }
})

test('arguments arrive as they were given', async () => {
  await start(join(checkout, 'strongroom'))
  const { stdout } = await start(join(checkout, 'strongroom'), ['a  b\n*', '--json'])
  expect(stdout).toContain('a  b')
})

/** A PATH with what the launcher itself uses, and no Node. */
async function toolsWithoutNode(): Promise<string> {
  const bare = join(folder, 'bare')
  await mkdir(bare)
  for (const tool of ['cmp', 'dirname', 'readlink', 'uname', 'sh']) {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `command -v ${tool}`])
    await symlink(stdout.trim(), join(bare, tool))
  }
  return bare
}
