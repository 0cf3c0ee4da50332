import { createAgeWriter } from '../../std/age/age-writer.ts'
import type { AgeAudience, AgeKeys } from '../../std/age/keys.ts'
import type { Sink } from '../../std/sink.ts'

/** How a backup is encrypted. */
export interface Encryption {
  readonly audience: AgeAudience
  /** What will open the archive, where it is at hand: it is then read back with that. */
  readonly keys?: AgeKeys
}

/** What the archive is written to: the sink itself, or what encrypts for it. `keys` open what was written. */
export async function encryptInto(sink: Sink, encryption: Encryption | undefined) {
  if (encryption === undefined) return { write: sink, finish: () => Promise.resolve(), keys: undefined }
  const { write, finish, fileKey } = await createAgeWriter(sink, encryption.audience)
  // Who holds a recipient alone cannot open what is encrypted for it.
  return { write, finish, keys: encryption.keys ?? { identities: [], passphrases: [], fileKey } }
}
