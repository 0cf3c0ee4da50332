import type { SidecarKind } from '../domain/sidecars.ts'
import type { Timestamp } from '../std/clock.ts'
import { assertName, assertText } from './laws.ts'

/** The file of a version and all that is known of it. */
export interface VersionInput {
  readonly fileName: string
  /** Read once, when its turn comes. What it throws concerns this document alone. */
  readonly bytes: AsyncIterable<Uint8Array>
  readonly mediaType: string
  /** Null where it is not known. */
  readonly pageCount: number | null
  /** ISO 639-3; `deu` where it is left out. */
  readonly lang?: string
  /** The pages 1, 2, 3 …; where they are left out, `pageCount` pages without text. */
  readonly pages?: readonly { readonly text: string; readonly lang?: string }[]
  readonly text?: string
  readonly shortDescription?: string
  readonly sidecars?: readonly SidecarInput[]
  /** Now, where it is left out. */
  readonly createdAt?: Timestamp
}

export interface SidecarInput {
  readonly pageNumber: number
  readonly kind: SidecarKind
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface NewDocument extends VersionInput {
  readonly userId: string
  /** The folder that takes it. */
  readonly parentId: string
  readonly title: string
}

export interface NewVersion extends VersionInput {
  readonly documentId: string
}

/** Throws `text.…` for what cannot be kept. */
export function assertStorable(input: NewDocument | NewVersion): void {
  if ('title' in input) assertName('title', input.title)
  assertName('file name', input.fileName)
  assertText('media type', input.mediaType)
  assertText('description', input.shortDescription ?? '')
  assertText('language', input.lang ?? '')
  assertText('text', input.text ?? '')
  for (const page of input.pages ?? []) {
    assertText('text of a page', page.text)
    assertText('language', page.lang ?? '')
  }
}
