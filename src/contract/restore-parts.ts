/** What of an archive is to be restored, and where to; everything that it does not narrow is wanted. */
export interface ChosenParts {
  /** Only what this user of the archive has; null for all users. */
  readonly user: string | null
  /** Only what is at these paths, and all below them. */
  readonly paths: readonly string[]
  /** Only the documents with these ids. */
  readonly documents: readonly string[]
  /** The user of the instance who gets it; null for the one whose it was. */
  readonly asUser: string | null
  /** The folder of the instance that it goes into, which is made where it is missing; null for the place where it was. */
  readonly into: string | null
  readonly versions: 'all' | 'last'
}
