import type { ArchiveSource } from '../archive/open-archive.ts'
import type { FindReport, Hit } from '../contract/find-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress, Report } from '../contract/reports.ts'
import type { TrashedNode, TreeItem } from '../contract/tree.ts'
import type { Scratch } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import { foldText } from '../std/text.ts'
import { findText } from './browse/find.ts'
import { openArchiveContents } from './contents/archive-contents.ts'
import { choose, type Choice, type Chosen } from './contents/choose.ts'
import { contentsNodes, nodeItems, userItems, type PlacedNode } from './contents/walk.ts'
import type { ScratchPlaces } from './scratch-places.ts'
import { salvagingFindings, strictFindings, type Findings } from './staging/findings.ts'
import { treeJson } from './tree.ts'

const mostHits = 1000

export interface BrowseInput extends ArchiveSource {
  /** Nothing named is everything. */
  readonly choice: Choice
  /** Whether what is in the trash is meant instead of the rest. */
  readonly trash: boolean
  /** Whether what is damaged is left out and the rest shown. */
  readonly keepGoing: boolean
}

export interface ItemsWanted {
  /** With the texts of versions and pages. */
  readonly text: boolean
  /** Of a folder, only what lies in it, not what lies below that. */
  readonly oneLevel: boolean
}

/** What was chosen of an archive, to be looked at. Dispose it. */
export interface Browsed extends AsyncDisposable {
  readonly archive: string
  /** The one document or folder that was named; undefined where it was something else. */
  readonly only: 'document' | 'folder' | undefined
  /** In the order of the tree; a node of the trash that others are in is a `TrashedNode`. */
  items(wanted: ItemsWanted): Generator<TreeItem, void, undefined>
  /** The same as the pieces of the JSON that `tree --json` has. */
  json(wanted: ItemsWanted): AsyncGenerator<string, void, undefined>
  /** Throws `usage.invalid` for an empty text. */
  find(text: string): FindReport
  /** What was doubtful, and what `keepGoing` left out. */
  notices(): Report
}

/** Opens an archive to look around in it, without an instance. Throws `archive.…`, `file.…`, `contents.…`. */
export function createBrowse(places: ScratchPlaces) {
  return async function browse(input: BrowseInput, onProgress: OnProgress, signal?: AbortSignal): Promise<Browsed> {
    const warnings = createNotices()
    const leftOut = createNotices()
    const findings = (scratch: Scratch): Findings =>
      input.keepGoing ? salvagingFindings(scratch, warnings.add, leftOut.add) : strictFindings(warnings.add)
    await using opened = new AsyncDisposableStack()
    const contents = opened.use(
      await openArchiveContents(input, places, findings, onProgress, signal, { choice: input.choice, files: 'none' }),
    )
    const { name, scratch } = contents
    const chosen = choose(contents, input.choice)
    const owned = opened.move()
    const items = (wanted: ItemsWanted) => chosenItems(scratch, chosen, { ...wanted, trash: input.trash })
    const notices = (): Report => ({
      operation: 'inspect',
      warnings: warnings.collected(),
      leftOut: leftOut.collected(),
    })
    return {
      archive: name,
      only: chosen.length === 1 ? typeOf(chosen[0]?.node) : undefined,
      items,
      json: (wanted) => treeJson(items(wanted)),
      find(text) {
        if (foldText(text).trim() === '') {
          throw new StrongroomError('usage.invalid', { command: 'inspect', reason: '--find needs a text to look for.' })
        }
        const hits: Hit[] = []
        let hitsNotListed = 0
        for (const hit of findText(scratch, chosen, { text, trash: input.trash })) {
          signal?.throwIfAborted()
          if (hit === undefined) continue
          if (hits.length < mostHits) hits.push(hit)
          else hitsNotListed += 1
        }
        return { ...notices(), operation: 'inspect', archive: name, find: text, hits, hitsNotListed }
      },
      notices,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  }
}

const typeOf = (node: PlacedNode | undefined): Browsed['only'] =>
  node === undefined ? undefined : node.row.type === 'folder' ? 'folder' : 'document'

function* chosenItems(
  scratch: Scratch,
  chosen: readonly Chosen[],
  wanted: ItemsWanted & { readonly trash: boolean },
): Generator<TreeItem, void, undefined> {
  for (const [user, own] of Map.groupBy(chosen, (each) => each.user)) {
    yield* userItems(scratch, user)
    for (const { node } of own) {
      if (node !== undefined) yield* nodeItems(scratch, node, wanted.text)
      if (node?.row.type === 'document') continue
      const below = node === undefined ? undefined : { seq: Number(node.row.seq), path: node.path }
      const deepest = wanted.oneLevel ? (below?.path.length ?? 0) + 1 : Infinity
      const nodes =
        node === undefined && wanted.trash
          ? contentsNodes(scratch, Number(user.u), undefined, true)
          : contentsNodes(scratch, Number(user.u), below)
      for (const placed of nodes) {
        if (placed.path.length > deepest) continue
        for (const item of nodeItems(scratch, placed, wanted.text))
          yield isTop(placed) ? trashedItem(placed, item) : item
      }
    }
  }
}

const isTop = ({ row, path }: PlacedNode): boolean => row.in_trash === 1 && path.length === 1

function trashedItem({ row }: PlacedNode, item: TreeItem): TreeItem {
  if (item.kind !== 'node') return item
  const node: TrashedNode = {
    ...item.node,
    deleted_at: String(row.deleted_at),
    deleted_from: row.deleted_from === null ? null : String(row.deleted_from),
  }
  return { kind: 'node', node }
}
