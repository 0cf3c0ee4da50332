import { gunzipSync, gzipSync } from 'node:zlib'
import { createArchiveWriter } from '../../src/archive/archive-writer.ts'
import { readTar } from '../../src/archive/tar-reader.ts'
import { collectingSink } from './collecting-sink.ts'
import { noise } from './fixtures.ts'
import { endOfTar, inChunks } from './tar-pieces.ts'

export const user = 'ce67fe07-e5e3-4269-8d20-d262e8fb655a'
/** Where the archive has the file of a version. */
export const pathOf = (name: string): string => `docs/user_${user}/document_${user}/v1/${name}`
/** A backup.json of one user; `null` leaves out what makes it ours. */
export const metadata = (own: unknown = { format: 1 }): string =>
  JSON.stringify({
    created: 'now',
    users: [{ id: user, username: 'ada', nodes: [{ title: 'a' }], tags: [] }],
    ...(own === null ? {} : { strongroom: own }),
  })

/** Its regular members before SHA256SUMS. */
export const files: readonly (readonly [string, string | Buffer])[] = [
  ['backup.json', metadata()],
  ['README.txt', 'This is a backup.'],
  [pathOf('a.pdf'), noise(300, 1)],
  [pathOf('b.pdf'), ''],
  [pathOf('c.pdf'), 'c'],
  ['strongroom/damage.json', '{"format": 1, "damaged": [{"version": "x", "what": "missing"}]}'],
]

export interface SmallArchive {
  readonly archive: Buffer
  readonly tar: Buffer
  /** The entries of its tar by their names, headers and padding included. */
  readonly pieces: ReadonlyMap<string, Buffer>
}

/** An archive of ours with every sort of entry, small enough to be damaged at each of its bytes. */
export async function createSmallArchive(scratch: string): Promise<SmallArchive> {
  const { sink, bytes: written } = collectingSink()
  await using writer = await createArchiveWriter(sink, scratch)
  for (const [name, content] of files) {
    const bytes = Buffer.from(content)
    await writer.addFile({ name, size: bytes.length, mtime: 1, content: inChunks(bytes, 100) })
  }
  await writer.addFolder({ name: 'ada/.home', mtime: 1 })
  await writer.addLink({ name: 'ada/.home/a', target: `../../${pathOf('c.pdf')}`, mtime: 1, type: 'symlink' })
  await writer.finish(1)
  const archive = written()
  const tar = gunzipSync(archive)
  const starts: (readonly [string, number])[] = []
  for await (const { name, position } of readTar(inChunks(tar, 10_000), 'a', () => undefined))
    starts.push([name, position])
  const pieces = new Map(
    starts.map(([name, start], index) => [name, tar.subarray(start, starts[index + 1]?.[1] ?? tar.length - 1024)]),
  )
  return { archive, tar, pieces }
}

/** An archive put together from other pieces, by another program. */
export const repacked = (list: Iterable<Buffer>): Buffer => gzipSync(Buffer.concat([...list, endOfTar]))

/** The pieces with the content of one member changed. */
export function withContent(
  pieces: ReadonlyMap<string, Buffer>,
  name: string,
  change: (content: Buffer) => void,
): Buffer {
  const copy = new Map([...pieces].map(([key, piece]) => [key, Buffer.from(piece)]))
  change(copy.get(name)!.subarray(512))
  return repacked(copy.values())
}
