/** Where what is too large for memory lies while an archive is being read, without an instance. */
export interface ScratchPlaces {
  readonly scratchDirectory: string
  /** For what was encrypted: a folder where it may lie in the clear, or memory. */
  readonly sealedScratch: string
}

export const scratchFor = (
  { encrypted }: { readonly encrypted: boolean },
  { scratchDirectory, sealedScratch }: ScratchPlaces,
): string => (encrypted ? sealedScratch : scratchDirectory)
