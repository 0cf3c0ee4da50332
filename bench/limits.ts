import { say, sayTable } from './report.ts'

/** What is to be reached. A figure is reached where it is no larger than its limit. */
export interface Figure {
  readonly name: string
  readonly limit: LimitName
  /** Why not, where it was not measured. */
  readonly measured: number | string
}

interface Limit {
  readonly most: number
  readonly unit?: 'MB'
  /** What stands in the way; README.md says more of it. */
  readonly because: string
}

export type LimitName = keyof typeof limits

const limits = {
  backupWall: {
    most: 0.1,
    because:
      'rows, texts and what is known of each file take as long as the bytes of large files; scans have bytes that deflate makes smaller',
  },
  backupWallAgainstTar: {
    most: 1.5,
    because: 'tar hashes nothing, compresses nothing, reads no rows, and opens a file by its whole path',
  },
  backupCpu: { most: 0.13, because: 'as for the time' },
  size: {
    most: 1.003,
    because: 'backup.json and index.html, which gzip has not, and what is stored though deflate would save 0.2 percent',
  },
  verify: {
    most: 0.5,
    because:
      'every byte is hashed as well, and the index and the directory are held against what they lead to; starting takes a quarter of a second',
  },
  restore: { most: 0.8, because: 'the archive is read twice, and each file and folder made durable by itself' },
  peakMegabytes: {
    most: 200,
    unit: 'MB',
    because: 'an empty instance takes 100; scratch databases, inflaters and what V8 frees late the rest',
  },
  /** By how much the peak may differ between a thousand documents and any number. */
  growthMegabytes: {
    most: 50,
    unit: 'MB',
    because: 'caches of scratch databases fill, and V8 frees late what lies outside its heap',
  },
  /** 1 is in proportion; within a tenth of it. */
  slope: { most: 1.1, because: 'other programs ran, or a disk was slow' },
  oneDocument: {
    most: 0.01,
    because: 'the start of the program, which takes longer than a hundredth of a verify under a minute',
  },
  encrypted: { most: 1.5, because: 'other programs ran' },
} as const satisfies Readonly<Record<string, Limit>>

export function sayFigures(figures: readonly Figure[]): void {
  sayTable(
    ['figure', 'to reach', 'measured', 'reached'],
    figures.map(({ name, limit, measured }) => [
      name,
      format(limits[limit].most, limits[limit]),
      typeof measured === 'string' ? measured : format(measured, limits[limit], 4),
      typeof measured === 'string' ? 'not measured' : measured <= limits[limit].most ? 'yes' : 'no',
    ]),
  )
  const missed = new Set<LimitName>()
  for (const { limit, measured } of figures)
    if (typeof measured === 'number' && measured > limits[limit].most) missed.add(limit)
  if (missed.size === 0) return
  say('\nWhat stands in the way where a figure is not reached (bench/README.md says more):')
  for (const limit of missed) say(`${limit}: ${limits[limit].because}`)
}

const format = (value: number, { unit }: Limit, digits?: number): string =>
  unit === undefined ? (digits === undefined ? String(value) : value.toFixed(digits)) : `${value.toFixed(0)} ${unit}`
