import { safeComponent } from '../../archive/member-names.ts'
import { pathInPart, versionPath, type Part } from '../../archive/layout.ts'
import type { Db } from '../../database/database.ts'
import { versionFactsOf, type VersionFacts } from '../../database/queries/versions.ts'
import type { Scratch } from '../../database/scratch.ts'
import { namedNodes, type NamedNode } from './node-names.ts'

/** A version as the archive has it. */
export interface ArchivedVersion {
  readonly facts: VersionFacts
  /** 1, 2, 3 … without a gap, as Papermerge needs it. */
  readonly number: number
  /** The safe file name. */
  readonly fileName: string
  /** Its member. Where no file was ever uploaded there is an empty one for Papermerge, and none in what it does not read. */
  readonly path: string
}

export interface ArchivedNode extends NamedNode {
  readonly versions: readonly ArchivedVersion[]
  /**
   * A document that never had a file is hidden: Papermerge would take it, and then fail at every later backup. What is hidden
   * or in the trash stands in the part of backup.json that Papermerge does not read.
   */
  readonly part: Part
}

/** The versions that have a member: all in what Papermerge reads, else those with a file. */
export const versionsWithMember = ({ part, versions }: ArchivedNode): readonly ArchivedVersion[] =>
  part === 'shown' ? versions : versions.filter(({ facts }) => facts.sha256 !== null)

const nodesAtOnce = 200

/** The nodes in order with their versions, read in batches. Each pass over a snapshot gives the same. */
export async function* archivedNodes(db: Db, scratch: Scratch): AsyncGenerator<ArchivedNode> {
  let batch: NamedNode[] = []
  for await (const named of namedNodes(db, scratch)) {
    batch.push(named)
    if (batch.length < nodesAtOnce) continue
    yield* withVersions(db, batch)
    batch = []
  }
  yield* withVersions(db, batch)
}

async function* withVersions(db: Db, batch: readonly NamedNode[]): AsyncGenerator<ArchivedNode> {
  const documents = batch.filter(({ node }) => node.type === 'document').map(({ node }) => node.id)
  const found = documents.length === 0 ? [] : await versionFactsOf(db, documents)
  const versions = Map.groupBy(found, (version) => version.document_id)
  for (const named of batch) {
    const { id, user_id, title, type, trashed } = named.node
    const itsVersions = versions.get(id) ?? []
    const isShown = type === 'folder' || itsVersions.some((facts) => facts.sha256 !== null)
    const part = trashed === 1 ? 'trash' : isShown ? 'shown' : 'hidden'
    const archived = itsVersions.map((facts, index): ArchivedVersion => {
      const fileName = safeComponent(facts.file_name ?? title)
      const path = pathInPart(part, versionPath(user_id, id, index + 1, fileName))
      return { facts, number: index + 1, fileName, path }
    })
    yield { ...named, versions: archived, part }
  }
}
