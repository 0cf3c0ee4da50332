import type { CompareReport } from '../../contract/compare-report.ts'
import type { DrilledRestore } from '../../contract/drill-report.ts'
import type { Notice } from '../../contract/reports.ts'

/** What a drill proved and what it did not, as sentences. */
export interface Facts {
  prove(code: string, message: string): void
  leaveOpen(code: string, message: string): void
  proved(): readonly Notice[]
  notProved(): readonly Notice[]
}

export function createFacts(): Facts {
  const proved: Notice[] = []
  const open: Notice[] = []
  return {
    prove: (code, message) => void proved.push({ code, about: '', message }),
    leaveOpen: (code, message) => void open.push({ code, about: '', message }),
    proved: () => [...proved],
    notProved: () => [...open],
  }
}

export function describeProof(
  facts: Facts,
  drilled: {
    readonly restore: DrilledRestore
    /** Whether the archive carries hashes. */
    readonly proved: boolean
    readonly compared: CompareReport | undefined
    readonly isFresh: boolean
  },
): void {
  const { restore, compared } = drilled
  if (drilled.proved) facts.prove('archive_whole', 'Every file of the archive is what was written, by its SHA-256.')
  else facts.leaveOpen('no_hashes', 'Whether the files of the archive are what was written: it carries no hashes.')
  facts.prove(
    'restored',
    `A new instance was made from it on ${restore.database}; row by row and byte by byte it is what the archive holds.`,
  )
  if (compared === undefined) {
    const message =
      'Whether the archive says what the instance said: there was no instance to hold it against. An archive that was altered, and its hashes made right again, is consistent in itself.'
    facts.leaveOpen('not_compared', message)
  } else {
    facts.prove(
      'compared',
      `Everything in the archive was held against the living instance, and all its ${compared.right.files} files were read.`,
    )
    const message =
      'Whether what differs from the instance without a date that tells when (tags, groups, what was removed for ever) is work since the backup or an altered archive: see "strongroom compare".'
    if (compared.total > 0) facts.leaveOpen('changes_since', message)
  }
  if (drilled.isFresh)
    facts.leaveOpen('fresh', 'Anything about the archives that are kept: this one was made for the drill and is gone.')
  facts.leaveOpen(
    'speed',
    'How long a restore takes elsewhere: this one went to the folder for temporary files of this machine.',
  )
}
