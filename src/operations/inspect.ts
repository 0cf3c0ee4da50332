import type { ArchiveSource } from '../archive/open-archive.ts'
import type { InspectedNode, InspectedUser, InspectReport } from '../contract/inspect-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Scratch } from '../database/scratch.ts'
import { openArchiveContents } from './contents/archive-contents.ts'
import type { ScratchPlaces } from './scratch-places.ts'
import { salvagingFindings, strictFindings, type Findings } from './staging/findings.ts'
import type { StagedArchive } from './staging/stage.ts'
import { originOf } from './staging/writer-of.ts'

const mostNodes = 100_000

const formatOf = ({ dialect, header }: StagedArchive): string =>
  ({
    'papermerge-2': 'Papermerge 2.1',
    'papermerge-3': 'Papermerge 3.0 to 3.2',
    strongroom: `Strongroom ${header?.strongroom?.format ?? ''}`,
  })[dialect]

/**
 * Says who wrote an archive, when, and what it holds, without an instance. Reads its backup.json, and all of it where it has
 * no directory that leads there. Throws at the first thing that is wrong with what it reads, unless told to keep going, for
 * which it reads everything: `archive.…`, `file.…`.
 */
export function createInspect(places: ScratchPlaces) {
  return async function inspect(
    input: ArchiveSource & { readonly keepGoing?: boolean },
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<InspectReport> {
    const warnings = createNotices()
    const leftOut = createNotices()
    const findings = (scratch: Scratch): Findings =>
      input.keepGoing === true ? salvagingFindings(scratch, warnings.add, leftOut.add) : strictFindings(warnings.add)
    const wanted = { choice: { paths: [], documents: [] }, files: 'none' } as const
    await using contents = await openArchiveContents(input, places, findings, onProgress, signal, wanted)
    const { archive, plan, scratch, staged } = contents
    const nodes = listNodes(scratch)
    return {
      operation: 'inspect',
      archive: archive.name,
      archiveBytes: archive.size,
      encrypted: archive.encrypted,
      ...originOf(staged),
      format: formatOf(staged),
      reading: staged.reading,
      proved: staged.survey.proved,
      ...plan,
      users: listUsers(scratch),
      files: staged.survey.files,
      nodes,
      nodesNotListed:
        Number(scratch.first('select count(*) as n from plan_nodes where in_trash = 0')?.n) - nodes.length,
      warnings: warnings.collected(),
      leftOut: leftOut.collected(),
    }
  }
}

function listUsers(scratch: Scratch): InspectedUser[] {
  const rows = scratch.rows(`
    select u.id, u.username,
      (select count(*) from plan_nodes n where n.u = u.u and n.type = 'folder' and n.in_trash = 0
        and not (n.parent_seq is null and n.title in ('.home', '.inbox'))) as folders,
      (select count(*) from plan_nodes n where n.u = u.u and n.type = 'document' and n.in_trash = 0) as documents,
      (select count(*) from plan_nodes n join plan_versions v on v.document_id = n.id where n.u = u.u and n.in_trash = 0) as versions,
      (select coalesce(sum(v.size), 0) from plan_nodes n join plan_versions v on v.document_id = n.id where n.u = u.u and n.in_trash = 0) as bytes
    from plan_users u order by u.username`)
  return [...rows].map((row) => ({
    id: String(row.id),
    username: String(row.username),
    folders: Number(row.folders),
    documents: Number(row.documents),
    versions: Number(row.versions),
    bytes: Number(row.bytes),
  }))
}

function listNodes(scratch: Scratch): InspectedNode[] {
  scratch.exec('create index plan_versions_document on plan_versions (document_id)')
  const rows = scratch.rows(
    `with recursive walk (seq, place, path) as (
       select n.seq, hex(u.username) || '/' || hex(n.title), json_array(n.title)
         from plan_nodes n join plan_users u on u.u = n.u where n.parent_seq is null
       union all
       select n.seq, w.place || '/' || hex(n.title), json_insert(w.path, '$[#]', n.title)
         from plan_nodes n join walk w on n.parent_seq = w.seq)
     select w.path, n.type, u.username,
       (select count(*) from plan_versions v where v.document_id = n.id) as versions,
       (select v.size from plan_versions v where v.document_id = n.id order by v.number desc limit 1) as size
     from walk w join plan_nodes n on n.seq = w.seq join plan_users u on u.u = n.u order by w.place limit ?`,
    mostNodes,
  )
  return [...rows].map((row) => ({
    username: String(row.username),
    type: row.type === 'folder' ? 'folder' : 'document',
    path: JSON.parse(String(row.path)) as string[],
    versions: Number(row.versions),
    size: row.size === null ? null : Number(row.size),
  }))
}
