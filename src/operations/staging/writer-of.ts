import { display } from '../../std/text.ts'
import type { Staged } from './staged.ts'

/** Which program wrote it and when, as it says itself. */
export function originOf({ header, dialect }: Staged): {
  readonly writer: string
  readonly created: string | null
} {
  const own = header?.strongroom
  if (dialect === 'strongroom') return { writer: display(own?.writer ?? 'Strongroom'), created: own?.created ?? null }
  const version = header?.version
  return {
    writer: version === undefined ? 'Papermerge' : `Papermerge ${display(version.slice(0, 50))}`,
    created: header?.created === undefined ? null : display(header.created.slice(0, 50)),
  }
}
