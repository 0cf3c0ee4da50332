import { createHash, type Hash } from 'node:crypto'
import type { Db } from '../../database/database.ts'
import { pageFactsOf } from '../../database/queries/pages.ts'
import { sidecarsOf } from '../../database/queries/sidecars.ts'
import { tagIdsOf } from '../../database/queries/tags.ts'
import { versionFactsOf } from '../../database/queries/versions.ts'
import type { NodeRow, PageRow, SidecarRow, VersionRow } from '../../database/schema.ts'
import type { Scratch } from '../../database/scratch.ts'
import { pagesWithText, versionsWithText } from '../document-texts.ts'

/**
 * A hash of all that a folder or document is but its place, its dates and its ids: two with the same one are the same to
 * whoever looks at them. Tags count by their ids, since one that was renamed is still the same.
 */
interface Content {
  readonly node: Pick<NodeRow, 'lang' | 'ocr' | 'ocr_status'>
  readonly tags: readonly string[]
}

const begin = ({ node, tags }: Content): Hash =>
  createHash('sha256').update(JSON.stringify([node.lang, node.ocr, node.ocr_status, tags.toSorted()]))

function addVersion(
  hash: Hash,
  version: Omit<VersionRow, 'id' | 'document_id' | 'media_key' | 'created_at' | 'text'>,
  text: string,
): void {
  const { number, file_name, size, sha256, media_type, page_count, lang, short_description } = version
  hash.update(
    JSON.stringify(['version', number, file_name, size, sha256, media_type, page_count, lang, short_description, text]),
  )
}

function addPage(
  hash: Hash,
  page: Pick<PageRow, 'number' | 'lang'>,
  text: string,
  sidecars: readonly SidecarFacts[],
): void {
  const files = sidecars.map(({ kind, size, sha256 }) => [kind, size, sha256])
  hash.update(JSON.stringify(['page', page.number, page.lang, text, files]))
}

type SidecarFacts = Pick<SidecarRow, 'kind' | 'size' | 'sha256'>

/** The digest of a folder or document of the instance. */
export async function liveDigest(db: Db, node: Pick<NodeRow, 'id' | 'lang' | 'ocr' | 'ocr_status'>): Promise<string> {
  const tags = (await tagIdsOf(db, [node.id])).map((tag) => tag.tag_id)
  const hash = begin({ node, tags })
  const versions = await versionFactsOf(db, [node.id])
  for await (const { row, text } of versionsWithText(db, versions)) {
    addVersion(hash, row, text)
    const sidecars = Map.groupBy(await sidecarsOf(db, [row.id]), (sidecar) => sidecar.page_id)
    for await (const page of pagesWithText(db, await pageFactsOf(db, [row.id]))) {
      addPage(hash, page.row, page.text, sidecars.get(page.row.id) ?? [])
    }
  }
  return hash.digest('base64url')
}

/**
 * The digest of a planned folder or document: with the tags of the instance that its own are held against, or with those
 * that it would get, which are others where copies of tags are made.
 */
export function plannedDigest(
  scratch: Scratch,
  seq: number,
  tagsBy: 'match_id' | 'target_id',
  versions: 'all' | 'last' = 'all',
): string {
  const node = scratch.first('select id, lang, ocr, ocr_status from plan_nodes where seq = ?', seq)!
  const tags = scratch
    .all(
      `select distinct t.${tagsBy} as id from plan_node_tags n join tag_decisions t on t.id = n.tag_id where n.node_id = ?`,
      node.id!,
    )
    .map((row) => String(row.id))
  const hash = begin({ node: { lang: node.lang, ocr: node.ocr, ocr_status: node.ocr_status } as Content['node'], tags })
  const all = scratch.all('select * from plan_versions where document_id = ? order by number', node.id!)
  for (const version of versions === 'last' ? all.slice(-1) : all) {
    addVersion(hash, version as unknown as VersionRow, String(version.text))
    for (const page of scratch.all('select * from plan_pages where version_id = ? order by number', version.id!)) {
      const sidecars = scratch.all(
        'select kind, size, sha256 from plan_sidecars where page_id = ? order by kind',
        page.id!,
      )
      addPage(hash, page as unknown as PageRow, String(page.text), sidecars as unknown as SidecarFacts[])
    }
  }
  return hash.digest('base64url')
}
