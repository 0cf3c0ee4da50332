import { createHash } from 'node:crypto'
import { StrongroomError } from '../errors.ts'
import { reasonOf } from '../std/text.ts'
import { createRecordReader, type JsonObject, type JsonRecord, type RecordShape } from './json-records.ts'
import { JsonError } from './json-tokens.ts'
import { damageName } from './layout.ts'
import { backupShape } from './records.ts'

/** The newest format of ours that this program reads. */
const knownFormat = 2

const damageShape: RecordShape = {
  values: ['format'],
  lists: { damaged: { values: ['version', 'page', 'path', 'what', 'reason'] } },
}

export interface MetadataEvents {
  onProblem(error: StrongroomError): void
  onWarning(code: string, about: string, message: string): void
  /** A record of backup.json, see records.ts. */
  onRecord(record: JsonRecord): void
  /** Called where backup.json says that the archive is ours, as soon as that is read. */
  onOurs(): void
}

/** Reads backup.json through and gives its hash. Throws `archive.newer_format`. */
export function readMetadata(
  content: AsyncIterable<Uint8Array>,
  archive: string,
  events: MetadataEvents,
  signal?: AbortSignal,
): Promise<string> {
  let ours = false
  const listener = {
    onRecord: (record: JsonRecord) => events.onRecord(record),
    onObject(path: string, value: JsonObject) {
      if (path !== 'strongroom') return
      ours = true
      // As soon as the key is read, so that a newer format is told from a damaged archive.
      assertKnown(value, archive)
      events.onOurs()
    },
    onUnknownKey(path: string) {
      // What the object that makes the archive ours holds is read before it is complete.
      const own = ours || path.startsWith('strongroom.')
      if (own)
        events.onWarning('metadata.unknown_key', path, `This version does not know the key ${path} and ignored it.`)
    },
  }
  return readJson(content, backupShape, listener, (reason) => events.onProblem(broken(archive, reason)), signal)
}

/** Reads damage.json through, gives each of its entries to `onDamage`, and its hash. */
export function readDamage(
  content: AsyncIterable<Uint8Array>,
  archive: string,
  events: { onProblem(error: StrongroomError): void; onDamage(value: JsonObject): void },
  signal?: AbortSignal,
): Promise<string> {
  const listener = {
    onRecord({ path, value }: JsonRecord) {
      if (path === 'damaged') events.onDamage(value)
    },
    onObject: () => undefined,
    onUnknownKey: () => undefined,
  }
  const onBroken = (reason: string): void => events.onProblem(broken(archive, `${damageName}: ${reason}`))
  return readJson(content, damageShape, listener, onBroken, signal)
}

const broken = (archive: string, reason: string): StrongroomError =>
  new StrongroomError('archive.bad_metadata', { archive, reason })

function assertKnown(own: JsonObject, archive: string): void {
  if (typeof own.format === 'number' && own.format <= knownFormat) return
  throw new StrongroomError('archive.newer_format', {
    archive,
    format: (JSON.stringify(own.format) ?? 'none').slice(0, 20),
    known: knownFormat,
    writer: typeof own.writer === 'string' ? own.writer.slice(0, 100) : 'unknown',
  })
}

async function readJson(
  content: AsyncIterable<Uint8Array>,
  shape: RecordShape,
  listener: Parameters<typeof createRecordReader>[1],
  onBroken: (reason: string) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const reader = createRecordReader(shape, listener)
  const hash = createHash('sha256')
  let readable = true
  const attempt = (work: () => void): void => {
    if (!readable) return
    try {
      work()
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      readable = false
      onBroken(reasonOf(error))
    }
  }
  for await (const chunk of content) {
    signal?.throwIfAborted()
    hash.update(chunk)
    attempt(() => reader.write(chunk))
  }
  attempt(() => reader.end())
  return hash.digest('hex')
}
