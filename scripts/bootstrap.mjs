// Sets the checkout up: installs what package-lock.json pins, if that has not been done. Plain JavaScript for Node 20,
// because it runs before the pinned Node is there. Safe to start twice at once: one works, the others wait.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, constants, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = await realpath(dirname(dirname(fileURLToPath(import.meta.url))))
const stampFolder = join(root, 'node_modules', '.strongroom')
const pinned = ['package.json', 'package-lock.json']
const pinnedNode = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')

const read = (path) => readFile(path).catch(() => undefined)

async function isFresh() {
  for (const name of pinned) {
    const [now, then] = await Promise.all([read(join(root, name)), read(join(stampFolder, name))])
    if (now === undefined || then === undefined || !now.equals(then)) return false
  }
  return access(pinnedNode, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Resolves to the server that is the lock, or to undefined after its holder has gone. The kernel frees it with its owner. */
function takeLock() {
  const owner = `${process.getuid?.() ?? ''} ${root}`
  const address = `\0strongroom-setup-${createHash('sha256').update(owner).digest('hex').slice(0, 32)}`
  return new Promise((done, failed) => {
    const server = createServer((waiter) => waiter.on('error', () => undefined).unref())
    server.once('error', (error) => {
      if (error.code !== 'EADDRINUSE') return failed(error)
      const waiting = connect(address)
      waiting.once('error', () => undefined)
      waiting.once('close', () => done(undefined))
      waiting.resume()
    })
    server.listen(address, () => done(server))
  })
}

/** PATH without this project's own programs: npm must not run on a Node that it is about to replace. */
function pathForNpm() {
  const own = join(root, 'node_modules', '.bin')
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => resolve(folder) !== own)
    .join(delimiter)
}

/** Resolves when npm has installed everything; rejects with what it printed. */
function install() {
  const options = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  return new Promise((done, failed) => {
    const npm = spawn('npm', options, {
      cwd: root,
      env: { ...process.env, PATH: pathForNpm() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = []
    npm.stdout.on('data', (chunk) => output.push(chunk))
    npm.stderr.on('data', (chunk) => output.push(chunk))
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => npm.kill(signal))
    npm.once('error', (error) => failed(new Error(`npm could not be started: ${error.message}`)))
    npm.once('close', (code, signal) => {
      if (code === 0) return done()
      failed(new Error(`npm ci ended with ${signal ?? code}:\n${Buffer.concat(output).toString().trim()}`))
    })
  })
}

async function writeStamp() {
  await rm(stampFolder, { recursive: true, force: true })
  const unfinished = `${stampFolder}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  for (const name of pinned) await writeFile(join(unfinished, name), await readFile(join(root, name)))
  await rename(unfinished, stampFolder)
}

async function setUp() {
  while (!(await isFresh())) {
    const lock = await takeLock()
    if (lock === undefined) continue
    try {
      if (await isFresh()) return
      process.stderr.write('Setting up: installing the packages that package-lock.json pins (once, some seconds) …\n')
      await install()
      await writeStamp()
      return
    } finally {
      lock.close()
    }
  }
}

if (Number.parseInt(process.versions.node, 10) < 20) {
  process.stderr.write(
    `error: Node ${process.versions.node} is too old.\nwhat to do: Install Node 20 or newer, and run this again.\n`,
  )
  process.exitCode = 9
} else {
  await setUp().catch((error) => {
    process.stderr.write(
      `error: Setting up failed. ${error.message}\nwhat to do: Check the network and the disk, and run this again.\n`,
    )
    process.exitCode = 9
  })
}
