import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { damageName } from '../../archive/layout.ts'
import type { Db } from '../../database/database.ts'
import type { Counts } from '../../database/queries/counts.ts'
import { listTags, tagsOf } from '../../database/queries/tags.ts'
import type { UserRow } from '../../database/schema.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { Timestamp } from '../../std/clock.ts'
import { linesOf } from '../../std/lines.ts'
import type { Spool } from '../../std/spool.ts'
import { archivedNodes, type ArchivedNode, type ArchivedVersion } from './archived-versions.ts'
import { counted, momentText } from './plain-words.ts'

export interface IndexPageInput {
  readonly db: Db
  /** Where the nodes were named, see node-names.ts. */
  readonly scratch: Scratch
  readonly out: Spool
  readonly createdAt: Timestamp
  readonly writer: string
  readonly counts: Counts
  readonly users: readonly UserRow[]
  /** The folder of each user in the archive, by id. */
  readonly folders: ReadonlyMap<string, string>
  /** What strongroom/damage.json holds; empty where there is none. */
  readonly damaged: Spool
  readonly damages: number
  readonly signal: AbortSignal | undefined
}

/**
 * Writes index.html: one page that lists, searches and opens the documents of the unpacked archive in a browser, without a
 * request to anywhere but the files beside it. Names come into it as JSON, which it turns into texts, and as escaped texts;
 * its policy lets only its own script and style in, by their hashes. Memory does not grow with the instance.
 */
export async function writeIndexPage(input: IndexPageInput): Promise<void> {
  const { out } = input
  const [page, style, script] = await Promise.all([asset('page.html'), asset('page.css'), readScript()])
  const texts: Readonly<Record<string, string>> = {
    ...facts(input),
    policy: `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`,
    style: `<style>${style}</style>`,
    script: `<script type="module">${script}</script>`,
  }
  for (const [index, part] of page.split(/\{\{(\w+)\}\}/).entries()) {
    if (index % 2 === 0) await out.write(part)
    else if (part === 'data') await writeData(input)
    else await out.write(texts[part]!)
  }
}

const asset = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'index-page', name), 'utf8')

/** The modules of the page, each after those that it needs. */
const modules = ['words.js', 'elements.js', 'model.js', 'rows.js', 'losses.js', 'tree.js', 'page.js']

/** The modules as one: a page from a disk may not load others. */
async function readScript(): Promise<string> {
  const sources = await Promise.all(modules.map(asset))
  return sources.map((source) => source.replace(/^import [^']*'\.\/[^']*'$/gm, '').replace(/^export /gm, '')).join('\n')
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`

/** What stands in the page without any script. */
function facts({ createdAt, writer, counts, users, folders, damages }: IndexPageInput): Record<string, string> {
  const { documents, trash } = counts
  const people = users.map(({ id }) => folders.get(id)!)
  return {
    made: escapeHtml(`Made on ${momentText(createdAt)} by ${writer}.`),
    holds: `It holds ${counted(documents, 'document')} in ${counted(counts.versions, 'version')} of ${counted(users.length, 'person', 'people')}.`,
    trash:
      trash.documents === 0
        ? ''
        : `<p>${counted(trash.documents, 'document')} in the trash ${trash.documents === 1 ? 'is' : 'are'} not listed; the files lie below strongroom/trash.</p>`,
    folders: people.map((name) => `<li><a href="${encodeURIComponent(name)}/">${escapeHtml(name)}</a></li>`).join('\n'),
    severity: damages === 0 ? 'good' : 'bad',
    losses: damages === 0 ? 'Nothing is missing' : `${counted(damages, 'file')} missing or damaged`,
    advice:
      damages === 0
        ? 'Every file was there and unchanged when this backup was made.'
        : `It had happened before this backup was made; ${damageName} names them too. An older backup may still hold them: unpack it, and take the file from the same place.`,
  }
}

const htmlEscapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => htmlEscapes[character]!)

/** JSON in which nothing can end the element that it stands in. */
const escapeJson = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

async function writeData(input: IndexPageInput): Promise<void> {
  const { out, damaged } = input
  await out.write('<script type="application/json" id="documents">[')
  await writePeople(input)
  await out.write('\n]</script>\n<script type="application/json" id="damage">')
  if (damaged.size === 0) await out.write('{"damaged":[]}')
  for await (const line of linesOf(damaged.chunks())) await out.write(`${escapeJson(line)}\n`)
  await out.write('</script>')
}

const nodesAtOnce = 200

async function writePeople({ db, scratch, out, users, signal }: IndexPageInput): Promise<void> {
  const nodes = archivedNodes(db, scratch)
  let next = await nodes.next()
  for (const [index, { id, username }] of users.entries()) {
    const tags = await listTags(db, id)
    const head = JSON.stringify({ id, name: username, tags: tags.map(({ name, bg_color }) => [name, bg_color]) })
    await out.write(`${index === 0 ? '' : ','}\n${escapeJson(head.slice(0, -1))},"nodes":[`)
    const numbers = new Map(tags.map((tag, number) => [tag.id, number]))
    let first = true
    while (next.done !== true && next.value.node.user_id === id) {
      signal?.throwIfAborted()
      const batch: ArchivedNode[] = []
      while (next.done !== true && next.value.node.user_id === id && batch.length < nodesAtOnce) {
        if (next.value.part !== 'trash') batch.push(next.value)
        next = await nodes.next()
      }
      const rows = await nodeRows(db, batch, numbers)
      for (const row of rows) {
        await out.write(`${first ? '' : ','}\n${escapeJson(JSON.stringify(row))}`)
        first = false
      }
    }
    await out.write(']}')
  }
}

/** The nodes in the form that index-page/model.js reads. */
async function nodeRows(
  db: Db,
  batch: readonly ArchivedNode[],
  numbers: ReadonlyMap<string, number>,
): Promise<(readonly unknown[])[]> {
  const ids = batch.map(({ node }) => node.id)
  const tags = Map.groupBy(ids.length === 0 ? [] : await tagsOf(db, ids), (tag) => tag.node_id)
  return batch.map(({ node, versions }) => {
    const head = [node.depth, node.title, (tags.get(node.id) ?? []).map((tag) => numbers.get(tag.id)!)]
    if (node.type === 'folder') return head
    const date = versions.at(-1)?.facts.created_at ?? node.updated_at ?? node.created_at
    return [...head, node.id, toTheSecond(date), versions.map(versionRow)]
  })
}

const versionRow = ({ facts, number, fileName }: ArchivedVersion): readonly unknown[] => [
  number,
  facts.sha256 === null ? null : fileName,
  facts.size ?? 0,
  facts.page_count,
  toTheSecond(facts.created_at),
]

const toTheSecond = (moment: Timestamp | null): string | null => moment?.slice(0, 19) ?? null
