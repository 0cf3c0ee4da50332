import { uuidv5 } from '../../std/ids.ts'

/** Never changes: the ids of everything that was ever restored from a foreign archive come from it. */
const namespace = '6b1f4a52-6f0a-5c1e-9d53-5a8f3c0e7d11'

/**
 * The id of something that its archive gives none, from what identifies it there: the same archive always gives the same
 * ids. The parts are joined by NUL, which no part can hold.
 */
export const derivedId = (
  kind: 'user' | 'group' | 'folder' | 'document' | 'version' | 'page' | 'tag',
  ...parts: readonly (string | number)[]
): string => uuidv5(namespace, [kind, ...parts].join('\0'))
