import load from '@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs'
import type { Chance } from './chance.ts'

const { JPEGEncoder } = await load()
const encoder = new JPEGEncoder()

/** Of a page, in pixels: A4 at 75 dots an inch. */
const [width, height] = [620, 877]
const [cellWidth, cellHeight, margin] = [7, 13, 50]

/** A JPEG by libjpeg-turbo: lines of letters on paper with the noise of a scanner. 150 KB at quality 50, 370 KB at 92. */
export function scannedJpeg(chance: Chance, quality: number): Buffer {
  const frame = { width, height, bitsPerSample: 8, componentCount: 3, isSigned: false } as const
  const pixels = encoder.getDecodedBuffer(frame)
  const noise = chance.bytes(3 * width * height)
  const letters = chance.bytes((width / cellWidth) * (height / cellHeight) + 1)
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const light = isInk(letters, x, y) ? 40 : 230
      for (const end = at + 3; at < end; at += 1) pixels[at] = light + (noise[at]! & 15)
    }
  }
  encoder.setQuality(quality)
  encoder.encode()
  return Buffer.from(encoder.getEncodedBuffer())
}

/** Whether a dot belongs to a letter: a pattern of 5 by 7 dots that the letter's number gives. */
function isInk(letters: Buffer, x: number, y: number): boolean {
  if (x < margin || x >= width - margin || y < margin || y >= height - margin) return false
  const [column, row] = [(x % cellWidth) - 1, (y % cellHeight) - 3]
  if (column < 0 || column >= 5 || row < 0 || row >= 7) return false
  const letter = letters[Math.floor(y / cellHeight) * Math.floor(width / cellWidth) + Math.floor(x / cellWidth)]! % 30
  return letter < 26 && ((Math.imul(letter + 1, 0x9e3779b1) >>> ((row * 5 + column) % 32)) & 1) === 1
}
