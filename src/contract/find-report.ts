import type { Report } from './reports.ts'

export interface Hit {
  readonly username: string
  readonly type: 'folder' | 'document'
  readonly id: string
  /** Titles from the top down. */
  readonly path: readonly string[]
  readonly in_trash: boolean
  /** Where the text was found first: in the title, in the name of a tag, in the text of a page or of a whole version. */
  readonly found: 'title' | 'tag' | 'text'
  /** Of a text. */
  readonly version: number | null
  /** Of a page's text. */
  readonly page: number | null
  /** What stands around it, on one line. */
  readonly snippet: string
}

/** What `inspect --find` found: the first 1,000. */
export interface FindReport extends Report {
  readonly operation: 'inspect'
  readonly archive: string
  readonly find: string
  readonly hits: readonly Hit[]
  readonly hitsNotListed: number
}
