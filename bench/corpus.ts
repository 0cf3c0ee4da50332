import { PDFDocument } from '@cantoo/pdf-lib'

/** The same numbers for the same seed: 32 bits, by xorshift (Marsaglia, 2003). */
export function createChance(seed: number): { bytes(length: number): Buffer; below(limit: number): number } {
  let state = (Math.imul(seed + 1, 2654435761) | 1) >>> 0
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  for (let index = 0; index < 8; index += 1) next()
  return {
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4))
      for (let index = 0; index < words.length; index += 1) words[index] = next()
      return Buffer.from(words.buffer, 0, length)
    },
    below: (limit) => next() % limit,
  }
}

type Chance = ReturnType<typeof createChance>

const jpegHead = (width: number, height: number): Buffer => {
  const segment = (marker: number, body: readonly number[]): number[] => [
    0xff,
    marker,
    (body.length + 2) >> 8,
    (body.length + 2) & 255,
    ...body,
  ]
  const size = [height >> 8, height & 255, width >> 8, width & 255]
  return Buffer.from([
    0xff,
    0xd8,
    ...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 1, 0, 150, 0, 150, 0, 0]),
    ...segment(0xdb, [0, ...Array.from({ length: 64 }, (_, index) => 8 + index)]),
    ...segment(0xc0, [8, ...size, 1, 1, 0x11, 0]),
    ...segment(0xc4, [0, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
  ])
}

/** Has the form of a JPEG and noise for a scan, in which no marker stands: no picture, but as incompressible as one. */
export function jpegLike(chance: Chance, length: number): Buffer {
  const scan = chance.bytes(length)
  for (let at = scan.indexOf(0xff); at !== -1; at = scan.indexOf(0xff, at + 2)) if (at + 1 < length) scan[at + 1] = 0
  return Buffer.concat([jpegHead(1240, 1754), scan, Buffer.from([0xff, 0xd9])])
}

/** A PDF of one to three pages with a scan on each and the text that was recognized on it. */
export async function scannedPdf(chance: Chance, length: number): Promise<Buffer> {
  const document = await PDFDocument.create()
  document.setCreationDate(new Date(0))
  document.setModificationDate(new Date(0))
  const pages = 1 + chance.below(3)
  for (let number = 0; number < pages; number += 1) {
    const image = await document.embedJpg(jpegLike(chance, Math.floor(length / pages)))
    const page = document.addPage([595, 842])
    page.drawImage(image, { x: 0, y: 0, width: 595, height: 842 })
    page.drawText(textOf(chance, 400), { x: 40, y: 780, size: 10, opacity: 0 })
  }
  return Buffer.from(await document.save())
}

const words =
  'account address agreement amount annual april assurance balance bank bill building certificate city claim client company contract copy customer date december delivery department deposit details document due electricity energy family fee first form heating house income increase information insurance interest invoice january kindly landlord last letter march meter month notice number office order paid pay payment period person please premium price property receipt reference regards rent repair report request school september service sincerely statement street subject sum tax telephone tenant terms total transfer until value water year'.split(
    ' ',
  )

/** Words as a page has them, with numbers between them. */
export function textOf(chance: Chance, length: number): string {
  let text = ''
  for (let line = ''; text.length < length; line = '') {
    while (line.length < 70) {
      line += `${chance.below(7) === 0 ? chance.below(100_000) : words[chance.below(words.length)]!} `
    }
    text += `${line.trimEnd()}\n`
  }
  return text.slice(0, length)
}

/** A page of words with their places, as text recognition writes it. */
export function svgOf(chance: Chance, length: number): string {
  const lines: string[] = []
  for (let size = 0; size < length; size += lines.at(-1)!.length) {
    const [x, y, width] = [chance.below(595), chance.below(842), 20 + chance.below(60)]
    lines.push(`<text x="${x}" y="${y}" textLength="${width}">${words[chance.below(words.length)]!}</text>\n`)
  }
  return lines.join('')
}
