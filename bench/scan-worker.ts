/** Makes scans by their numbers in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { createChance } from './chance.ts'
import { scannedPdf, svgOf, textOf } from './corpus.ts'
import type { Bodies, Scan } from './scans.ts'

parentPort!.on('message', (number: number) => {
  void make(number).then((scan) => parentPort!.postMessage(scan))
})

async function make(number: number): Promise<Scan> {
  const chance = createChance(number)
  return {
    file: (workerData as Bodies) === 'scans' ? await scannedPdf(chance) : chance.bytes(200_000 + chance.below(400_000)),
    text: textOf(chance, 1000 + chance.below(19_000)),
    svg: svgOf(chance, 1000 + chance.below(19_000)),
  }
}
