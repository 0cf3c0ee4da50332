import type { AuditEntry } from '../contract/audit.ts'
import type { Database, Tx } from '../database/database.ts'
import { clearPendingFiles, insertPendingFiles, keysInUse, unfinishedAmong } from '../database/queries/files.ts'
import { StrongroomError } from '../errors.ts'
import { sidecarKey, siblingKey, versionKey } from '../media/keys.ts'
import type { MediaBatch, MediaStore, StoredFile } from '../media/media-store.ts'
import type { Clock } from '../std/clock.ts'
import type { Ids } from '../std/ids.ts'
import { noteInAudit } from './audit.ts'
import { createDocumentEntries, type Taken } from './document-entries.ts'
import { assertStorable, type NewDocument, type NewVersion } from './document-input.ts'
import { insertDocument, insertVersion, nextNumber, requireDocument } from './document-rows.ts'

export interface StoredVersion {
  readonly documentId: string
  readonly versionId: string
  readonly size: number
  readonly sha256: string
}

/** What became of one of several documents. */
export type Stored = StoredVersion | { readonly failure: unknown }

/** A document or version whose files have their places, before its bytes are there. */
interface Planned {
  readonly input: NewDocument | NewVersion
  readonly documentId: string
  readonly versionId: string
  readonly key: string
  readonly sidecarKeys: readonly string[]
}

/** One whose bytes are there, before its rows are. */
interface Written extends Planned {
  readonly file: StoredFile
  readonly sidecarFiles: readonly StoredFile[]
}

interface DocumentParts {
  readonly database: Database
  readonly media: MediaStore
  readonly clock: Clock
  readonly ids: Ids
}

/** Documents and their versions: the bytes are durable before a row names them, and no row names half a file. */
export function createDocuments({ database, media, clock, ids }: DocumentParts) {
  /** Throws `node.not_found`, `node.not_folder`, `node.exists`, `text.…`, and what `bytes` throws. */
  const create = async (input: NewDocument) => onlyOne(await storeAll([input]))

  /** The version gets the number after the last. Throws `node.not_found`, `text.…`, and what `bytes` throws. */
  const addVersion = async (input: NewVersion) => onlyOne(await storeAll([input]))

  /**
   * Stores several documents and versions together, which is faster than one by one: in their order, each wholly or not at
   * all. What concerns one alone is its failure, and the others are stored; where the disk or the database fails, it throws
   * and none is.
   */
  async function storeAll(inputs: readonly (NewDocument | NewVersion)[]): Promise<Stored[]> {
    const slots: Slot[] = inputs.map((input) => ({ input }))
    const keys = new Set<string>()
    await database.write(async (tx) => {
      keys.clear()
      for (const slot of slots) await settle(slot, async () => (slot.planned = await plan(tx, slot.input, keys)))
      await insertPendingFiles(tx, [...keys])
    })
    try {
      await using batch = media.begin()
      for (const slot of slots) if (slot.planned !== undefined) await writeFiles(batch, slot, slot.planned)
      await batch.sync()
      await database.write(async (tx) => {
        const entries: AuditEntry[] = []
        const entryOf = createDocumentEntries(tx)
        for (const slot of slots) {
          const { written } = slot
          if (written === undefined) continue
          await settle(slot, async () => {
            entries.push(await entryOf(await insertRows(tx, written)))
            slot.stored = storedOf(written)
          })
          if (slot.stored !== undefined) await clearPendingFiles(tx, keysOf(written))
        }
        await noteInAudit(tx, clock.now(), entries)
      })
    } finally {
      await removeUnused([...keys])
    }
    return slots.map(({ stored, failure }) => stored ?? { failure: failure?.error })
  }

  async function plan(tx: Tx, input: NewDocument | NewVersion, keys: Set<string>): Promise<Planned> {
    assertStorable(input)
    const documentId = 'documentId' in input ? input.documentId : ids.next()
    const userId = 'documentId' in input ? (await requireDocument(tx, documentId)).user_id : input.userId
    const number = 'documentId' in input ? await nextNumber(tx, documentId) : 1
    const version = { userId, documentId, number }
    const key = await freeKey(tx, versionKey({ ...version, fileName: input.fileName }), keys)
    const sidecarKeys: string[] = []
    for (const { pageNumber, kind } of input.sidecars ?? [])
      sidecarKeys.push(await freeKey(tx, sidecarKey({ ...version, pageNumber, kind }), keys))
    return { input, documentId, versionId: ids.next(), key, sidecarKeys }
  }

  /** The usual key, or one beside it where a file of a dead process or of a removed row may lie. */
  async function freeKey(tx: Tx, usual: string, keys: Set<string>): Promise<string> {
    const taken =
      keys.has(usual) ||
      (await unfinishedAmong(tx, [usual])).size > 0 ||
      (await keysInUse(tx, [usual])).size > 0 ||
      (await media.size(usual)) !== undefined
    const key = taken ? siblingKey(usual, ids.next()) : usual
    keys.add(key)
    return key
  }

  async function insertRows(tx: Tx, written: Written): Promise<Taken> {
    const { input, documentId: id, file } = written
    const now = clock.now()
    if ('title' in input) {
      const { userId, parentId, title } = input
      await insertDocument(tx, { ...input, id, now })
      await insertVersion(tx, { ...written, number: 1, now, ids })
      return { id, userId, parentId, title, version: null, file }
    }
    const { user_id: userId, parent_id: parentId, title } = await requireDocument(tx, id)
    const number = await nextNumber(tx, id)
    await insertVersion(tx, { ...written, number, now, ids })
    return { id, userId, parentId, title, version: number, file }
  }

  /**
   * Removes what no row came to name, as far as that works; what is left is removed by `recover`. The rows are asked, since
   * a lost connection leaves open whether the transaction was committed.
   */
  async function removeUnused(keys: readonly string[]): Promise<void> {
    try {
      if ((await unfinishedAmong(database.db, keys)).size === 0) return
      await database.write(async (tx) => {
        const used = await keysInUse(tx, keys)
        await media.removeAll(keys.filter((key) => !used.has(key)))
        await clearPendingFiles(tx, keys)
      })
    } catch {
      // The first failure is the one to tell of.
    }
  }

  return { create, addVersion, storeAll }
}

/** One of several documents on its way in. */
interface Slot {
  readonly input: NewDocument | NewVersion
  planned?: Planned
  written?: Written
  stored?: StoredVersion
  failure?: { readonly error: unknown }
}

const storedOf = ({ documentId, versionId, file: { size, sha256 } }: Written): StoredVersion => ({
  documentId,
  versionId,
  size,
  sha256,
})

const keysOf = (planned: Planned): readonly string[] => [planned.key, ...planned.sidecarKeys]

function onlyOne([stored]: readonly Stored[]): StoredVersion {
  if (stored === undefined) throw new StrongroomError('program.fault', { reason: 'nothing was stored' })
  if ('failure' in stored) throw stored.failure
  return stored
}

/** Runs a step; what is wrong with this document becomes its failure, everything else is thrown. */
async function settle(slot: Slot, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (!(error instanceof StrongroomError) || !/^(node|text)\./.test(error.code)) throw error
    slot.failure = { error }
  }
}

/** Writes the bytes; what a source throws is this document's failure, where a failing disk concerns all. */
async function writeFiles(batch: MediaBatch, slot: Slot, planned: Planned): Promise<void> {
  async function* watched(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      slot.failure = { error }
      throw error
    }
  }
  const { input } = planned
  try {
    const file = await batch.put(planned.key, watched(input.bytes))
    const sidecarFiles: StoredFile[] = []
    for (const [index, sidecar] of (input.sidecars ?? []).entries())
      sidecarFiles.push(await batch.put(planned.sidecarKeys[index]!, watched(sidecar.bytes)))
    slot.written = { ...planned, file, sidecarFiles }
  } catch (error) {
    if (slot.failure?.error !== error) throw error
  }
}
