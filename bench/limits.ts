import { sayTable } from './report.ts'

/** What is to be reached. A figure is reached where it is no larger than its limit. */
export interface Figure {
  readonly name: string
  readonly limit: number
  readonly unit?: 'MB'
  /** Why not, where it was not measured. */
  readonly measured: number | string
}

export const limits = {
  backupWall: 0.1,
  backupWallAgainstTar: 1.5,
  backupCpu: 0.13,
  size: 1.003,
  verify: 0.5,
  restore: 0.8,
  peakMegabytes: 200,
  /** By how much the peak may differ between a thousand documents and any number. */
  growthMegabytes: 50,
  /** 1 is in proportion; within a tenth of it. */
  slope: 1.1,
  oneDocument: 0.01,
  encrypted: 1.5,
} as const

export function sayFigures(figures: readonly Figure[]): void {
  sayTable(
    ['figure', 'to reach', 'measured', 'reached'],
    figures.map(({ name, limit, unit, measured }) => [
      name,
      `${limit}${unit === undefined ? '' : ` ${unit}`}`,
      typeof measured === 'string' ? measured : format(measured, unit),
      typeof measured === 'string' ? 'not measured' : measured <= limit ? 'yes' : 'no',
    ]),
  )
}

const format = (value: number, unit?: string): string =>
  unit === undefined ? value.toFixed(4) : `${value.toFixed(0)} ${unit}`
