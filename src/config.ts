/**
 * What a command is told from outside, by options and by the environment. Read once, then frozen. The only file that reads
 * process.env.
 */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { z } from 'zod'
import { StrongroomError } from './errors.ts'
import { toFileError } from './std/files.ts'
import { memoryFolder } from './std/spool.ts'

export interface Config {
  /** Absolute. */
  readonly dataDirectory: string
  /** As given, a relative `sqlite:` path made absolute; undefined for SQLite in the data directory. May hold a password. */
  readonly databaseUrl: string | undefined
  /** The moment that stands for "now" in all that is written; undefined for the true time. */
  readonly fixedTime: Date | undefined
  /** True in the project's container image, where a missing instance means a missing mount. */
  readonly inContainer: boolean
  /** For what needs scratch files without an instance. */
  readonly scratchDirectory: string
  /** The same for what was encrypted: a folder where it may lie in the clear; `:memory:` for none. */
  readonly sealedScratch: string
  /** What opens encrypted archives, where no option names it. */
  readonly keyFile: string | undefined
}

export interface ConfigOptions {
  readonly data?: string | undefined
  readonly database?: string | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

// An empty variable counts as one that is not set, as in most container set-ups.
const variable = z
  .string()
  .optional()
  .transform((text) => (text === '' ? undefined : text))

// The largest moment that a Date can hold, in seconds.
const lastMoment = 8_640_000_000_000

const environmentSchema = z.object({
  STRONGROOM_DATA: variable,
  STRONGROOM_DATABASE_URL: variable,
  STRONGROOM_DATABASE_URL_FILE: variable,
  STRONGROOM_CONTAINER: variable,
  STRONGROOM_SCRATCH: variable,
  STRONGROOM_KEY_FILE: variable,
  SOURCE_DATE_EPOCH: variable.pipe(
    z
      .string()
      .regex(/^\d{1,15}$/, 'it must be a whole number of seconds since 1970')
      .transform(Number)
      .refine((seconds) => seconds <= lastMoment, 'it is later than any date')
      .optional(),
  ),
})

/** The environment of this process. */
export const processEnvironment = (): Environment => process.env

/**
 * Puts the configuration together; an option wins over a variable. SOURCE_DATE_EPOCH is the standard of
 * reproducible-builds.org. Throws `config.invalid`, and `file.…` where STRONGROOM_DATABASE_URL_FILE cannot be read.
 */
export function readConfig(environment: Environment, options: ConfigOptions, workingDirectory: string): Config {
  const parsed = environmentSchema.safeParse(environment)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new StrongroomError('config.invalid', { name: String(issue?.path[0]), reason: issue?.message ?? '' })
  }
  const variables = parsed.data
  if (options.data === '') throw new StrongroomError('config.invalid', { name: '--data', reason: 'it is empty' })
  if (options.database === '')
    throw new StrongroomError('config.invalid', { name: '--database', reason: 'it is empty' })
  const databaseUrl =
    options.database ??
    variables.STRONGROOM_DATABASE_URL ??
    readUrlFile(variables.STRONGROOM_DATABASE_URL_FILE, workingDirectory)
  const epoch = variables.SOURCE_DATE_EPOCH
  return Object.freeze({
    dataDirectory: resolve(workingDirectory, options.data ?? variables.STRONGROOM_DATA ?? 'data'),
    databaseUrl: databaseUrl === undefined ? undefined : absoluteUrl(databaseUrl, workingDirectory),
    fixedTime: epoch === undefined ? undefined : new Date(epoch * 1000),
    inContainer: variables.STRONGROOM_CONTAINER === '1',
    scratchDirectory: tmpdir(),
    sealedScratch:
      variables.STRONGROOM_SCRATCH === undefined
        ? memoryFolder
        : resolve(workingDirectory, variables.STRONGROOM_SCRATCH),
    keyFile:
      variables.STRONGROOM_KEY_FILE === undefined
        ? undefined
        : resolve(workingDirectory, variables.STRONGROOM_KEY_FILE),
  })
}

function readUrlFile(path: string | undefined, workingDirectory: string): string | undefined {
  if (path === undefined) return undefined
  const absolute = resolve(workingDirectory, path)
  let text: string
  try {
    text = readFileSync(absolute, 'utf8').trim()
  } catch (error) {
    throw toFileError(error, absolute, 'read')
  }
  if (text === '')
    throw new StrongroomError('config.invalid', { name: 'STRONGROOM_DATABASE_URL_FILE', reason: 'the file is empty' })
  return text
}

function absoluteUrl(url: string, workingDirectory: string): string {
  const path = /^sqlite:(?!\/\/|:memory:$)(.+)$/s.exec(url)?.[1]
  return path === undefined ? url : `sqlite:${resolve(workingDirectory, path)}`
}
