import { spawnSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import { createArchiveWriter } from '../src/archive/archive-writer.ts'
import { createGzipWriter } from '../src/std/gzip-writer.ts'
import { createChance, type Chance } from './chance.ts'
import { scannedPdf, svgOf, textOf, writtenPdf } from './corpus.ts'
import type { Figure } from './limits.ts'
import { scannedJpeg } from './pictures.ts'
import { say, sayTable } from './report.ts'
import { collectingSink } from '../test/support/collecting-sink.ts'

const kindBytes = 16_000_000

type Make = (chance: Chance) => Promise<Buffer> | Buffer
const between = (chance: Chance, least: number, most: number): number => least + chance.below(most - least)

const kinds: readonly (readonly [string, Make])[] = [
  ['random bytes, 200 to 600 KB', (chance) => chance.bytes(between(chance, 200_000, 600_000))],
  ['random bytes, 30 to 70 KB', (chance) => chance.bytes(between(chance, 30_000, 70_000))],
  ['random bytes, 10 KB', (chance) => chance.bytes(10_000)],
  ['scanned PDFs by pdf-lib, 200 to 700 KB', scannedPdf],
  ['written PDFs by pdf-lib, 3 to 20 KB', writtenPdf],
  ['JPEG by libjpeg-turbo, quality 92', (chance) => scannedJpeg(chance, 92)],
  ['JPEG by libjpeg-turbo, quality 75', (chance) => scannedJpeg(chance, 75)],
  ['JPEG by libjpeg-turbo, quality 50', (chance) => scannedJpeg(chance, 50)],
  ['text, 1 to 20 KB', (chance) => Buffer.from(textOf(chance, between(chance, 1000, 20_000)))],
  ['SVG, 1 to 20 KB', (chance) => Buffer.from(svgOf(chance, between(chance, 1000, 20_000)))],
  [
    'base64, 200 to 600 KB',
    (chance) => Buffer.from(chance.bytes(between(chance, 200_000, 600_000)).toString('base64')),
  ],
]

/** How large an archive of files of one kind is against `gzip -6` of the very same tar. */
export async function compareSizes(scratchFolder: string): Promise<Figure[]> {
  const rows: string[][] = []
  const figures: Figure[] = []
  for (const [kind, make] of kinds) {
    const archive = await archiveOf(make, scratchFolder)
    const tar = gunzipSync(archive)
    const gzip = spawnSync('gzip', ['-6', '-n'], { input: tar, maxBuffer: 1 << 30 }).stdout
    const measured = archive.length / gzip.length
    rows.push([kind, measured.toFixed(4), `${((100 * (await storedBytes(tar))) / tar.length).toFixed(0)} %`])
    figures.push({ name: `size, ${kind}`, limit: 'size', measured })
  }
  say()
  sayTable(['archives of one kind of file', 'size/gzip', 'stored'], rows)
  return figures
}

async function archiveOf(make: Make, scratchFolder: string): Promise<Buffer> {
  const chance = createChance(1)
  const { sink, bytes: archive } = collectingSink()
  await using writer = await createArchiveWriter(sink, scratchFolder)
  for (let number = 0; writer.position < kindBytes; number += 1) {
    const bytes = await make(chance)
    const document = chance.bytes(16).toString('hex')
    const name = `docs/user_00000000-0000-4000-8000-000000000001/document_${document}/v1/${number}`
    await writer.addFile({ name, size: bytes.length, mtime: 1_700_000_000, content: once(bytes) })
  }
  await writer.finish(1_700_000_000)
  return archive()
}

/** How many of the bytes of a tar go out as they are; the headers in it are not known here, so a little more than in an archive. */
async function storedBytes(tar: Buffer): Promise<number> {
  using writer = createGzipWriter(async () => undefined)
  for (let start = 0; start < tar.length; start += 1 << 20) await writer.write(tar.subarray(start, start + (1 << 20)))
  await writer.finish(Buffer.alloc(0))
  return writer.storedBytes
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
