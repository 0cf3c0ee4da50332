import { PDFDocument } from '@cantoo/pdf-lib'
import type { Chance } from './chance.ts'
import { scannedJpeg } from './pictures.ts'

/** A PDF by pdf-lib of one or two pages with a scan on each and the text that was recognized on it; 200 to 700 KB. */
export async function scannedPdf(chance: Chance): Promise<Buffer> {
  const document = await PDFDocument.create()
  document.setCreationDate(new Date(0))
  document.setModificationDate(new Date(0))
  const pages = 1 + chance.below(2)
  for (let number = 0; number < pages; number += 1) {
    const image = await document.embedJpg(scannedJpeg(chance, 75 + chance.below(15)))
    const page = document.addPage([595, 842])
    page.drawImage(image, { x: 0, y: 0, width: 595, height: 842 })
    page.drawText(textOf(chance, 400), { x: 40, y: 780, size: 10, opacity: 0 })
  }
  return Buffer.from(await document.save())
}

/** A PDF by pdf-lib of pages of text, as a word processor writes one. */
export async function writtenPdf(chance: Chance): Promise<Buffer> {
  const document = await PDFDocument.create()
  document.setCreationDate(new Date(0))
  document.setModificationDate(new Date(0))
  for (let left = 1 + chance.below(8); left > 0; left -= 1) {
    document.addPage([595, 842]).drawText(textOf(chance, 3000), { x: 40, y: 780, size: 10, lineHeight: 14 })
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
