/**
 * The folder that holds an instance: who owns it, and whether it can be used. docs/data-directory.md lists its files.
 *
 * `strongroom.json` marks it: `{"strongroom": "data directory", "layout": 1, "instance": "<uuid>"}`. The number rises when a
 * program that knows only the older layout would do harm; the id tells what this instance left in other folders.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, lstat, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { StrongroomError } from '../errors.ts'
import { makeFolders, onFile, syncFolder, systemCode, toFileError } from '../std/files.ts'

const markerName = 'strongroom.json'
const knownLayout = 1
const unfinishedMarker = /^(?:strongroom|drill)\.json\.[0-9a-f-]{36}\.tmp$/
// A file system's own folder for what its repair finds; an ext4 volume that was mounted whole has one.
const ownedByFileSystem = 'lost+found'

// What every layout has, so that a newer one can be refused by name.
const anyMarkerSchema = z.object({ strongroom: z.literal('data directory'), layout: z.number().int().positive() })
const markerSchema = anyMarkerSchema.extend({ instance: z.uuid() })

export interface DataDirectory {
  readonly path: string
  /** True in the container image, where a missing instance means a missing mount. */
  readonly inContainer: boolean
}

export const mediaFolder = (path: string): string => join(path, 'media')
export const restorePointsFolder = (path: string): string => join(path, 'restore-points')
export const drillsFolder = (path: string): string => join(path, 'drills')
export const drillStateFile = (path: string): string => join(path, 'drill.json')
export const scratchFolder = (path: string): string => join(path, 'tmp')

/**
 * Resolves to the instance's id where the folder holds an instance that this user may read and write. Throws
 * `data.missing`, `data.not_mounted`, `data.foreign`, `data.not_folder`, `data.newer_layout`, `data.not_writable`, `file.…`.
 */
export async function requireDataDirectory({ path, inContainer }: DataDirectory): Promise<string> {
  if ((await stateOf(path)) !== 'marked') {
    throw new StrongroomError(inContainer ? 'data.not_mounted' : 'data.missing', { path })
  }
  await assertUsable(path)
  return readMarker(path)
}

/**
 * Makes the folder that of an instance: creates it for its owner alone (0700), marks it, and makes the folders inside. An
 * instance's folder stays as it is. Safe twice, and from two processes at once. Throws what `requireDataDirectory` throws
 * but `data.missing` and `data.not_mounted`.
 */
export async function prepareDataDirectory({ path }: DataDirectory): Promise<void> {
  await assertMayBecomeDataDirectory(path)
  await onFile(path, 'made', async () => {
    await makeFolders(dirname(path))
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
    await syncFolder(dirname(path))
  })
  await assertUsable(path)
  if ((await stateOf(path)) === 'empty') await writeMarker(path)
  for (const folder of [mediaFolder(path), scratchFolder(path)]) {
    await onFile(folder, 'made', () => mkdir(folder, { recursive: true, mode: 0o700 }))
  }
  await onFile(path, 'written', () => syncFolder(path))
}

/** Throws `data.foreign`, `data.not_folder`, `data.newer_layout` or `data.not_writable` where the folder can never be an instance's. */
export async function assertMayBecomeDataDirectory(path: string): Promise<void> {
  if ((await stateOf(path)) !== 'absent') await assertUsable(path)
}

/** True where scratch files lie about: somebody is at work, or died. Makes the folder for them if it is gone. */
export async function hasScratch(path: string): Promise<boolean> {
  const folder = scratchFolder(path)
  return onFile(folder, 'read', async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return (await readdir(folder)).length > 0
  })
}

/** Removes scratch files that dead processes left. The caller holds the exclusive lock, so that nobody uses them. */
export async function emptyScratch(path: string): Promise<void> {
  const folder = scratchFolder(path)
  await onFile(folder, 'emptied', async () => {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
    for (const name of await readdir(path)) if (unfinishedMarker.test(name)) await rm(join(path, name), { force: true })
  })
}

type State = 'absent' | 'empty' | 'marked'

async function stateOf(path: string): Promise<State> {
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return 'absent'
    if (code === 'ENOTDIR') throw new StrongroomError('data.not_folder', { path }, { cause: error })
    if (code === 'EACCES' || code === 'EPERM') throw notWritable(path, error)
    throw toFileError(error, path, 'read')
  }
  if (names.includes(markerName)) {
    await readMarker(path)
    return 'marked'
  }
  const foreign = names.filter((name) => name !== ownedByFileSystem && !unfinishedMarker.test(name))
  if (foreign.length === 0) return 'empty'
  const shown = foreign.toSorted().slice(0, 3).join(', ')
  throw new StrongroomError('data.foreign', { path, found: foreign.length > 3 ? `${shown}, …` : shown })
}

async function readMarker(path: string): Promise<string> {
  const file = join(path, markerName)
  let text: string
  try {
    // A marker has some sixty bytes; anything much larger is another program's file.
    const { size } = await stat(file)
    text = size > 4096 ? '' : await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw notWritable(path, error)
    throw toFileError(error, file, 'read')
  }
  const json = parseJson(text)
  const layout = anyMarkerSchema.safeParse(json).data?.layout ?? 0
  if (layout > knownLayout) throw new StrongroomError('data.newer_layout', { path, layout, known: knownLayout })
  const marker = markerSchema.safeParse(json)
  if (!marker.success) throw new StrongroomError('data.foreign', { path, found: markerName })
  return marker.data.instance
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function writeMarker(path: string): Promise<void> {
  const temporary = join(path, `${markerName}.${randomUUID()}.tmp`)
  const bytes = Buffer.from(
    `${JSON.stringify({ strongroom: 'data directory', layout: knownLayout, instance: randomUUID() })}\n`,
  )
  try {
    await onFile(path, 'written', async () => {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, join(path, markerName))
      await syncFolder(path)
    })
  } catch (error) {
    // The first failure is the one to tell of; what is left here is removed by the next start.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

/** Looks at the folders inside too: one made by another user would fail later, and less clearly. */
async function assertUsable(path: string): Promise<void> {
  for (const place of [path, mediaFolder(path), scratchFolder(path), join(path, 'locks')]) {
    try {
      if (!(await lstat(place)).isDirectory() && place !== path) {
        throw new StrongroomError('data.foreign', { path, found: place.slice(path.length + 1) })
      }
      await access(place, constants.R_OK | constants.W_OK | constants.X_OK)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' && place !== path) continue
      if (code === 'EACCES' || code === 'EPERM') throw notWritable(path, error)
      throw toFileError(error, place, 'written')
    }
  }
}

function notWritable(path: string, cause: unknown): StrongroomError {
  const details = { path, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return new StrongroomError('data.not_writable', details, { cause })
}
