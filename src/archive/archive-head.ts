import { StrongroomError } from '../errors.ts'
import type { AgeKeySource } from '../std/age/keys.ts'
import { createRecordReader, type JsonObject } from './json-records.ts'
import { JsonError } from './json-tokens.ts'
import { metadataName, normalizeName } from './layout.ts'
import { parseMoment } from './moments.ts'
import { openArchive } from './open-archive.ts'
import { backupShape } from './records.ts'
import { breaksOff } from './breaks-off.ts'
import { readTar } from './tar-reader.ts'

/** What an archive of ours says of itself in its first kilobytes. None of it is proved. */
export interface ArchiveHead {
  readonly format: number
  readonly writer: string
  /** The id of the instance that it is of; null in archives that do not say so. */
  readonly instance: string | null
  /** In UTC with six decimals. */
  readonly created: string
}

/** How much of backup.json is looked at; groups stand before its end. */
const mostBytes = 16 * 1024 * 1024

/**
 * Reads the beginning of a file; undefined for one that is no archive of ours, or too damaged to say so. Throws `file.…`
 * where it cannot be read, `archive.key_missing` and `archive.wrong_key` where it cannot be opened; `archive.damaged` and
 * `archive.truncated` for an encrypted one, by its name, of which not even the beginning can be decrypted.
 */
export async function readArchiveHead(path: string, keys?: AgeKeySource): Promise<ArchiveHead | undefined> {
  const nothing = (): void => undefined
  let own: JsonObject | undefined
  const reader = createRecordReader(backupShape, {
    onRecord: nothing,
    onUnknownKey: nothing,
    onObject(at, value) {
      if (at === 'strongroom') own = value
    },
  })
  try {
    await using archive = await openArchive(path, '', keys)
    for await (const entry of readTar(archive.tar(nothing), path, nothing)) {
      if (entry.type !== 'file' || normalizeName(entry.name) !== metadataName) return undefined
      let seen = 0
      for await (const chunk of entry.content()) {
        reader.write(chunk)
        seen += chunk.length
        if (own !== undefined || seen > mostBytes) return own === undefined ? undefined : headOf(own)
      }
      return undefined
    }
    return undefined
  } catch (error) {
    const isSealed = path.endsWith('.age') && breaksOff(error) && own === undefined
    if (isSealed) throw error
    const isNone = error instanceof StrongroomError && (error.kind === 'corrupt' || error.kind === 'invalid')
    if (isNone || error instanceof JsonError) return own === undefined ? undefined : headOf(own)
    throw error
  }
}

function headOf({ format, writer, instance, created }: JsonObject): ArchiveHead | undefined {
  const moment = typeof created === 'string' ? parseMoment(created) : undefined
  if (typeof format !== 'number' || moment === undefined) return undefined
  return {
    format,
    writer: typeof writer === 'string' ? writer : 'Strongroom',
    instance: typeof instance === 'string' ? instance : null,
    created: moment,
  }
}
