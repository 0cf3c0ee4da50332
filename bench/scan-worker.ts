/** Makes scans by their numbers in a thread of its own. */
import { parentPort } from 'node:worker_threads'
import { createChance } from './chance.ts'
import { scannedPdf, svgOf, textOf } from './corpus.ts'
import type { Scan } from './scans.ts'

parentPort!.on('message', (number: number) => {
  void make(number).then((scan) => parentPort!.postMessage(scan))
})

async function make(number: number): Promise<Scan> {
  const chance = createChance(number)
  return {
    pdf: await scannedPdf(chance),
    text: textOf(chance, 1000 + chance.below(19_000)),
    svg: svgOf(chance, 1000 + chance.below(19_000)),
  }
}
