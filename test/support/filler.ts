import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tx } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/open.ts'
import { insertNodes } from '../../src/database/queries/nodes.ts'
import { insertPages } from '../../src/database/queries/pages.ts'
import { insertSidecars } from '../../src/database/queries/sidecars.ts'
import { insertNodeTags, insertTags } from '../../src/database/queries/tags.ts'
import { insertUsers } from '../../src/database/queries/users.ts'
import { insertVersions } from '../../src/database/queries/versions.ts'
import type { NodeRow, PageRow, TagRow, UserRow, VersionRow } from '../../src/database/schema.ts'
import type { SidecarKind } from '../../src/domain/sidecars.ts'
import { openDiskStore } from '../../src/media/disk-store.ts'
import { sidecarKey, versionKey } from '../../src/media/keys.ts'
import type { MediaBatch } from '../../src/media/media-store.ts'
import { bytesOf } from './instances.ts'
import { aNode, aPage, aTag, aUser, aVersion } from './rows.ts'

/** Puts rows and files into an instance as they are, past the services, which would not make all of what may be there. */
export interface Filler {
  user(row: Partial<UserRow>): Promise<{ readonly id: string; readonly home: string; readonly inbox: string }>
  node(row: Partial<NodeRow> & Pick<NodeRow, 'user_id'>): Promise<string>
  tag(row: Partial<TagRow> & Pick<TagRow, 'user_id'>, on?: readonly string[]): Promise<string>
  /** A version of a document; without `bytes`, nothing was ever uploaded to it. */
  version(document: DocumentOf, row: Partial<VersionRow>, bytes?: string): Promise<VersionOf>
  page(
    version: VersionOf,
    row: Partial<PageRow>,
    sidecars?: Readonly<Partial<Record<SidecarKind, string>>>,
  ): Promise<string>
  readonly tx: Tx
}

export interface DocumentOf {
  readonly user: string
  readonly document: string
}

interface VersionOf extends DocumentOf {
  readonly version: string
  readonly number: number
}

/** Runs `fill` on an instance in one transaction. */
export async function fillDirectly(
  { dataDirectory, url }: { readonly dataDirectory: string; readonly url: string | undefined },
  fill: (filler: Filler) => Promise<void>,
): Promise<void> {
  await using database = await openDatabase({ dataDirectory, url })
  const root = join(dataDirectory, 'media')
  await mkdir(root, { recursive: true })
  await using media = await openDiskStore(root)
  const batch = media.begin()
  await database.write((tx) => fill(createFiller(tx, batch)))
  await batch.sync()
}

function createFiller(tx: Tx, batch: MediaBatch): Filler {
  async function node(row: Partial<NodeRow> & Pick<NodeRow, 'user_id'>): Promise<string> {
    const whole = aNode(row)
    await insertNodes(tx, [whole])
    return whole.id
  }
  return {
    tx,
    node,
    async user(row) {
      const whole = aUser(row)
      await insertUsers(tx, [whole])
      const root = (title: string) => node({ user_id: whole.id, title })
      return { id: whole.id, home: await root('.home'), inbox: await root('.inbox') }
    },
    async tag(row, on = []) {
      const whole = aTag(row)
      await insertTags(tx, [whole])
      await insertNodeTags(
        tx,
        on.map((node_id) => ({ node_id, tag_id: whole.id })),
      )
      return whole.id
    },
    async version({ user, document }, row, bytes) {
      const whole = aVersion({ document_id: document, ...row })
      const { id: version, number } = whole
      const place = { user, document, version, number }
      if (bytes === undefined) {
        const none = { file_name: null, size: null, sha256: null, media_type: null, media_key: null }
        await insertVersions(tx, [{ ...whole, page_count: null, ...row, ...none }])
        return place
      }
      const fileName = whole.file_name ?? 'file.pdf'
      const stored = await batch.put(
        versionKey({ userId: user, documentId: document, number, fileName }),
        bytesOf(bytes),
      )
      await insertVersions(tx, [
        { ...whole, file_name: fileName, size: stored.size, sha256: stored.sha256, media_key: stored.key },
      ])
      return place
    },
    async page({ user, document, version, number }, row, sidecars = {}) {
      const whole = aPage({ version_id: version, ...row })
      await insertPages(tx, [whole])
      for (const [kind, bytes] of Object.entries(sidecars) as [SidecarKind, string][]) {
        const key = sidecarKey({ userId: user, documentId: document, number, pageNumber: whole.number, kind })
        const { size, sha256 } = await batch.put(key, bytesOf(bytes))
        await insertSidecars(tx, [{ page_id: whole.id, kind, size, sha256, media_key: key }])
      }
      return whole.id
    },
  }
}
