import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { contentSums } from '../test/support/content-sums.ts'
import { type Measured, measure, type Place, strongroom } from './measure.ts'
import { say, saySoFar } from './report.ts'

export interface Chain {
  /** By what they are called, in their order: `restore`, `backup`, `verify` and what was asked for besides. */
  readonly runs: ReadonlyMap<string, Measured>
  readonly archiveBytes: number
  /** Whether the backup holds every file of the archive that was restored. */
  readonly right: boolean
}

export interface ChainOptions {
  readonly database?: string | undefined
  /** Command lines to measure besides. */
  readonly besides?: (place: Place, backup: string) => Readonly<Record<string, string>>
}

/** Restores an archive into an empty instance, backs that up and proves the backup; the instance and the backup are removed. */
export async function measureChain(folder: string, archive: string, options: ChainOptions = {}): Promise<Chain> {
  const place: Place = { data: join(folder, 'instance'), database: options.database }
  const backup = join(folder, 'backup.tar.gz')
  const runs = new Map<string, Measured>()
  try {
    for (const [name, command] of Object.entries({
      restore: strongroom(place, 'restore', '--migrate', archive),
      backup: strongroom(place, 'backup', backup),
      verify: strongroom(place, 'verify', backup),
      ...options.besides?.(place, backup),
    })) {
      const measured = await measure(command)
      saySoFar(`${name}: ${measured.seconds.toFixed(1)} s, ${measured.peakMegabytes.toFixed(0)} MB`)
      runs.set(name, measured)
    }
    const right = (await contentSums(archive)) === (await contentSums(backup))
    if (!right) say('The backup does NOT hold what was restored.')
    return { runs, archiveBytes: (await stat(backup)).size, right }
  } finally {
    await rm(place.data, { recursive: true, force: true })
    await rm(backup, { force: true })
  }
}
