import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type MadeContents, madeDocumentId, makeArchive } from '../test/support/made-archive.ts'
import { measureChain } from './chain.ts'
import type { Grown } from './growth.ts'
import type { Figure } from './limits.ts'
import { type Place, quote, strongroom } from './measure.ts'
import { say, saySoFar, sayTable } from './report.ts'

/** One file of so many bytes that nothing compresses, and ten small ones behind it. */
export const measureLarge = (folder: string, bytes: number): Promise<Grown> =>
  measureExtreme(folder, `one file of ${(bytes / 2 ** 30).toFixed(1)} GiB`, {
    documents: 10,
    documentBytes: 10_000,
    pages: 1,
    large: { bytes, of: 'noise' },
  })

/** A hundred sidecars for each of so many documents. */
export const measureMembers = (folder: string, documents: number): Promise<Grown> =>
  measureExtreme(folder, `${documents * 101} files`, { documents, documentBytes: 1000, pages: 20, sidecars: 5 })

const one = 'extract, one document'

async function measureExtreme(folder: string, what: string, contents: MadeContents): Promise<Grown> {
  const archive = join(folder, 'made.tar.gz')
  await makeArchive(archive, folder, contents)
  saySoFar(`made an archive with ${what}`)
  const id = madeDocumentId(contents.documents - 1)
  const besides = (place: Place, backup: string) => ({
    'gzip -t': `gzip -t ${quote(backup)}`,
    'tar tz': `tar tzf ${quote(backup)}`,
    // Compared with the file itself.
    [one]: `${strongroom(place, 'extract', '--document', id, '--to', '-', backup)} | cmp - ${quote(join(place.data, 'media'))}/docs/*/document_${id}/v1/*`,
  })
  const { runs, archiveBytes, right } = await measureChain(folder, archive, { besides })
  await rm(archive)
  say()
  say(`${what}; an archive of ${archiveBytes} bytes`)
  sayTable(
    ['command', 'wall s', 'CPU s', 'peak MB'],
    [...runs].map(([command, run]) => [
      command,
      run.seconds.toFixed(1),
      run.cpuSeconds.toFixed(1),
      run.peakMegabytes.toFixed(0),
    ]),
  )
  const peaks = ['restore', 'backup', 'verify', one].map((command): Figure => {
    const measured = runs.get(command)!.peakMegabytes
    return { name: `${command}, peak`, limit: 'peakMegabytes', measured }
  })
  const measured = runs.get(one)!.seconds / runs.get('verify')!.seconds
  return { figures: [...peaks, { name: `${one}, wall, against verify`, limit: 'oneDocument', measured }], right }
}
