/** How much of an instance or an archive is in the trash. */
export interface TrashContents {
  readonly folders: number
  readonly documents: number
  readonly versions: number
}
