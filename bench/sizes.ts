import { spawnSync } from 'node:child_process'
import { createArchiveWriter } from '../src/archive/archive-writer.ts'
import { createGzipWriter } from '../src/std/gzip-writer.ts'
import { gunzipSync } from 'node:zlib'
import { createChance, jpegLike, scannedPdf, svgOf, textOf } from './corpus.ts'

const kindBytes = 16_000_000

/** How large an archive of files of one kind is against `gzip -6` of the same tar. Its content is checked. */
export async function sizesByKind(
  scratchFolder: string,
): Promise<{ readonly kind: string; readonly ratio: number; readonly stored: number }[]> {
  const chance = createChance(1)
  const kinds: readonly (readonly [string, (size: number) => Promise<Buffer> | Buffer, least: number, most: number])[] =
    [
      ['random bodies, 200 to 600 KB', (size) => chance.bytes(size), 200_000, 600_000],
      ['random bodies, 30 to 70 KB', (size) => chance.bytes(size), 30_000, 70_000],
      ['random bodies, 10 KB', (size) => chance.bytes(size), 10_000, 10_001],
      ['PDFs by pdf-lib, 200 to 600 KB', (size) => scannedPdf(chance, size), 200_000, 600_000],
      ['JPEG-like, 200 to 600 KB', (size) => jpegLike(chance, size), 200_000, 600_000],
      ['text, 1 to 20 KB', (size) => Buffer.from(textOf(chance, size)), 1000, 20_000],
      ['SVG, 1 to 20 KB', (size) => Buffer.from(svgOf(chance, size)), 1000, 20_000],
      ['base64, 200 to 600 KB', (size) => Buffer.from(chance.bytes(size).toString('base64')), 200_000, 600_000],
    ]
  const found = []
  for (const [kind, make, least, most] of kinds) {
    const parts: Buffer[] = []
    await using writer = await createArchiveWriter(async (bytes) => void parts.push(Buffer.from(bytes)), scratchFolder)
    for (let number = 0; writer.position < kindBytes; number += 1) {
      const bytes = await make(least + chance.below(most - least))
      const name = `docs/user_00000000-0000-4000-8000-000000000001/document_${chance.bytes(16).toString('hex')}/v1/${number}`
      await writer.addFile({ name, size: bytes.length, mtime: 1_700_000_000, content: once(bytes) })
    }
    await writer.finish(1_700_000_000)
    const archive = Buffer.concat(parts)
    const tar = gunzipSync(archive)
    const gzip = spawnSync('gzip', ['-6', '-n'], { input: tar, maxBuffer: 1 << 30 }).stdout
    found.push({ kind, ratio: archive.length / gzip.length, stored: (await storedBytes(tar)) / tar.length })
  }
  return found
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
