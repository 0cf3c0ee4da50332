import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openDiskStore } from '../../src/media/disk-store.ts'
import { createCheck } from '../../src/operations/check.ts'
import { createImport } from '../../src/operations/import-files.ts'
import { createRecover } from '../../src/operations/recover.ts'
import { createTree } from '../../src/operations/tree.ts'
import { createDocuments } from '../../src/services/documents.ts'
import { createNodes } from '../../src/services/nodes.ts'
import { createTags } from '../../src/services/tags.ts'
import { createTrash } from '../../src/services/trash.ts'
import { createUsers } from '../../src/services/users.ts'
import { fixedClock } from '../../src/std/clock.ts'
import { randomIds } from '../../src/std/ids.ts'
import type { TestDatabases } from './databases.ts'

/** When everything happens in the instances of tests. */
export const testTime = '2026-11-24T14:03:52.000000Z'

/** An empty instance with its daily verbs, on a database of that kind. Dispose it. */
export async function createInstance(databases: TestDatabases) {
  const place = await databases.create()
  const { database, dataDirectory } = place
  const mediaRoot = join(dataDirectory, 'media')
  await mkdir(mediaRoot)
  const media = await openDiskStore(mediaRoot)
  const parts = { database, media, clock: fixedClock(new Date(testTime)), ids: randomIds, dataDirectory }
  const documents = createDocuments(parts)
  const tree = createTree(parts)
  return {
    ...parts,
    mediaRoot,
    documents,
    users: createUsers(parts),
    nodes: createNodes(parts),
    tags: createTags(parts),
    trash: createTrash(parts),
    importFiles: createImport({ ...parts, documents }),
    check: createCheck(parts),
    recover: createRecover(parts),
    /** The whole of `tree --json`. */
    async tree(input: { text: boolean; username?: string }): Promise<string> {
      let whole = ''
      for await (const piece of tree(input)) whole += piece
      return whole
    },
    async [Symbol.asyncDispose]() {
      await media[Symbol.asyncDispose]()
      await place.dispose()
    },
  }
}

export type TestInstance = Awaited<ReturnType<typeof createInstance>>

/** The bytes of a text, in one chunk for each. */
export async function* bytesOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
