import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type Access, type Instance } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { RestorePlan, ConflictChoice } from '../../src/contract/restore-plan.ts'
import { StrongroomError } from '../../src/errors.ts'
import { openDatabase } from '../../src/database/open.ts'
import type { TestDatabases } from '../support/databases.ts'
import { listMedia } from '../support/command-instances.ts'

const quiet = (): void => undefined

export const hashOfText = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A node of the instance as its rows tell of it. */
export interface FoundNode {
  readonly id: string
  readonly isFolder: boolean
  readonly title: string
  readonly parent: string | null
  readonly from: string | null
  readonly tags: readonly string[]
  /** The hashes of the versions' bytes, in order. */
  readonly versions: readonly string[]
}

export interface Found {
  readonly nodes: readonly FoundNode[]
  readonly tags: readonly { readonly id: string; readonly name: string; readonly color: string }[]
}

/** An instance with the user ada, used as a caretaker and a user would. */
export async function createModelInstance(kind: TestDatabases) {
  const place = await kind.place()
  const dataDirectory = join(place.dataDirectory, 'data')
  const archives = await mkdtemp(join(tmpdir(), 'strongroom-model-'))
  const app = createApp(readConfig({}, { data: dataDirectory, database: place.url }, place.dataDirectory))
  await app.migrate()
  const at = { dataDirectory, url: place.url }

  async function use<T>(access: Access, work: (instance: Instance) => Promise<T>): Promise<T> {
    await using instance = await app.open({ access, command: 'test' })
    return await work(instance)
  }

  const userId = await use('write', ({ users }) => users.add({ username: 'ada', password: null, superuser: true }))

  /** Everything that the rows hold of nodes and tags. */
  async function found(): Promise<Found> {
    await using database = await openDatabase(at)
    const { db } = database
    const nodes = await db.selectFrom('nodes').selectAll().execute()
    const versions = await db.selectFrom('versions').selectAll().orderBy('number').execute()
    const tags = await db.selectFrom('tags').selectAll().execute()
    const carried = await db.selectFrom('node_tags').selectAll().execute()
    return {
      nodes: nodes.map((node) => ({
        id: node.id,
        isFolder: node.type === 'folder',
        title: node.title,
        parent: node.parent_id,
        from: node.deleted_from,
        tags: carried.filter((each) => each.node_id === node.id).map((each) => each.tag_id),
        versions: versions.filter((each) => each.document_id === node.id).map((each) => each.sha256 ?? ''),
      })),
      tags: tags.map((tag) => ({ id: tag.id, name: tag.name, color: tag.bg_color })),
    }
  }

  return {
    userId,
    use,
    found,
    /** All that can be seen of it, dates and files too. */
    async everything(): Promise<unknown> {
      const tree = await use('read', async (instance) => {
        let whole = ''
        for await (const piece of instance.tree({ text: true })) whole += piece
        return whole
      })
      const trash = await use('read', (instance) => instance.trash.list())
      return { tree, trash, media: await listMedia({ dataDirectory }), found: sorted(await found()) }
    },
    check: () => use('write', ({ check }) => check({ quick: false }, quiet)),
    archiveOf: (number: number) => join(archives, `${number}.tar.gz`),
    backup: (location: string) =>
      use('own', ({ backup }) => backup({ location, overwrite: false, verify: false, links: 'symbolic' }, quiet)),
    dryRun: (archive: string, onConflict: ConflictChoice) =>
      use('read', ({ dryRun }) => dryRun({ archive, onConflict }, quiet)),
    /** Undefined where there are conflicts. */
    async restore(archive: string, onConflict: ConflictChoice): Promise<RestorePlan | undefined> {
      try {
        return (await use('exclusive', ({ restore }) => restore({ archive, onConflict }, quiet))).plan
      } catch (error) {
        if (error instanceof StrongroomError && error.code === 'restore.conflicts') return undefined
        throw error
      }
    },
    async [Symbol.asyncDispose]() {
      await rm(archives, { recursive: true, force: true })
      await place[Symbol.asyncDispose]()
    },
  }
}

export type ModelInstance = Awaited<ReturnType<typeof createModelInstance>>

const sorted = ({ nodes, tags }: Found): Found => ({
  nodes: nodes
    .toSorted((left, right) => (left.id < right.id ? -1 : 1))
    .map((node) => ({ ...node, tags: node.tags.toSorted() })),
  tags: tags.toSorted((left, right) => (left.id < right.id ? -1 : 1)),
})
