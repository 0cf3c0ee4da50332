import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { needs } from './needs.ts'

/** What the real Papermerge 2.1.9 did with a sample. */
export interface RealRestore {
  readonly exit_code: number
  readonly error?: string
  /** As `users=1 tags=0 folders=3 documents=1 versions=1 files_present=1`. */
  readonly database_after?: string
  readonly notes?: readonly string[]
}

export interface SampleEntry {
  readonly what: string
  readonly must: 'restore' | 'restore and warn' | 'restore; may warn' | 'refuse'
  readonly exit: number
  readonly why: string
  /** A file with what a restore must bring back, relative to the folder of the samples. */
  readonly expected?: string
  /** The plain password of its users. */
  readonly password?: string
  readonly real_2_1_9_restore: RealRestore | 'not run'
}

export interface Sample extends SampleEntry {
  /** The file's name. */
  readonly name: string
  readonly path: string
}

export interface ExpectedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface ExpectedPage {
  readonly id?: string
  readonly number: number
  readonly lang: string
  readonly text: string
  /** The text layer, in a sample of 2.1. */
  readonly svg?: ExpectedFile | null
  /** All page files, in a sample of 3.x. */
  readonly files?: readonly ExpectedFile[]
}

export interface ExpectedVersion {
  readonly id?: string
  readonly number: number
  readonly file_name: string | null
  readonly lang: string
  readonly page_count: number
  readonly short_description: string
  readonly text: string
  readonly file: ExpectedFile | null
  readonly pages: readonly ExpectedPage[]
}

export interface ExpectedNode {
  readonly path: readonly string[]
  readonly ctype: 'folder' | 'document'
  readonly title: string
  readonly tags: readonly string[]
  readonly id?: string
  readonly lang?: string
  readonly ocr?: boolean
  readonly ocr_status?: string
  readonly created_at?: string
  readonly updated_at?: string
  readonly versions?: readonly ExpectedVersion[]
}

export interface ExpectedTag {
  readonly name: string
  readonly bg_color: string
  readonly fg_color: string
  readonly description: string | null
  readonly pinned: boolean
}

export interface ExpectedUser {
  readonly id: string
  readonly username: string
  readonly email: string
  readonly first_name?: string
  readonly last_name?: string
  readonly is_superuser: boolean
  readonly is_staff?: boolean
  readonly is_active: boolean
  readonly password: string
  readonly plain_password: string | null
  readonly date_joined?: string
  readonly last_login?: string | null
  readonly tags: readonly ExpectedTag[]
  readonly nodes: readonly ExpectedNode[]
}

export interface Expected {
  readonly papermerge_version: string
  readonly users: readonly ExpectedUser[]
}

const folder = process.env.STRONGROOM_SAMPLES ?? resolve(import.meta.dirname, '../../../shared/samples')
const manifestPath = join(folder, 'manifest.json')

const isThere = needs(
  'the folder of sample archives (STRONGROOM_SAMPLES)',
  existsSync(manifestPath),
  'what is tried on the samples',
)

const manifest = isThere
  ? (JSON.parse(readFileSync(manifestPath, 'utf8')) as { files: Readonly<Record<string, SampleEntry>> })
  : { files: {} }

/** Every sample of the manifest; empty where the samples are not there, which a line then says. */
export const samples: readonly Sample[] = Object.entries(manifest.files).map(([name, entry]) => ({
  ...entry,
  name,
  path: join(folder, name),
}))

/** What a restore of the sample must bring back. */
export function readExpected(sample: Sample): Expected | undefined {
  if (sample.expected === undefined) return undefined
  return JSON.parse(readFileSync(join(folder, sample.expected), 'utf8')) as Expected
}

/** The plain passwords that open the restored users' accounts. */
export function plainPasswords(sample: Sample): ReadonlyMap<string, string> {
  const known = new Map<string, string>()
  for (const user of readExpected(sample)?.users ?? []) {
    const password = user.plain_password ?? (user.password.startsWith('!') ? undefined : sample.password)
    if (password !== undefined) known.set(user.username, password)
  }
  return known
}
