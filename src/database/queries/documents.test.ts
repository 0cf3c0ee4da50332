import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test/support/databases.ts'
import { aNode, aPage, aSidecar, aTag, aUser, aVersion } from '../../../test/support/rows.ts'
import type { NodeRow } from '../schema.ts'
import { countAll } from './counts.ts'
import {
  clearAllPendingFiles,
  clearDiscardedFiles,
  clearPendingFiles,
  discardFiles,
  hasUnfinishedFiles,
  insertPendingFiles,
  keysInUse,
  listDiscardedFiles,
  listPendingFiles,
} from './files.ts'
import { insertGroups, insertMemberships } from './groups.ts'
import { insertNodes } from './nodes.ts'
import { insertPages, pageFactsOf, pagesInRange, pagesOf, pageTexts } from './pages.ts'
import { insertSidecars, listSidecars, sidecarsOf } from './sidecars.ts'
import { insertTags } from './tags.ts'
import { insertUsers } from './users.ts'
import {
  findVersion,
  insertVersions,
  lastVersionOf,
  listVersionFacts,
  versionFactsOf,
  versionsOf,
  versionTexts,
} from './versions.ts'

async function withDocuments(made: TestDatabase, count: number): Promise<NodeRow[]> {
  const user = aUser()
  const documents = Array.from({ length: count }, () => aNode({ user_id: user.id, type: 'document' }))
  await made.database.write(async (tx) => {
    await insertUsers(tx, [user])
    await insertNodes(tx, documents)
  })
  return documents.toSorted((left, right) => (left.id < right.id ? -1 : 1))
}

describe.each(databases)('versions and pages on $name', ({ create }) => {
  test('come back as they were, by document and number', async () => {
    await using made = await create()
    const { db, write } = made.database
    const [first, second] = await withDocuments(made, 2)
    const versions = [
      aVersion({ document_id: first!.id, number: 1, text: 'text\ud55c', size: 2 ** 40, page_count: null }),
      aVersion({ document_id: first!.id, number: 12, created_at: null, media_type: null }),
      aVersion({ document_id: second!.id, number: 0, text: '', size: 0 }),
    ]
    await write((tx) => insertVersions(tx, versions.toReversed()))
    expect(await versionsOf(db, [second!.id, first!.id])).toEqual(versions)
    expect(await lastVersionOf(db, first!.id)).toEqual(versions[1])
    expect(await lastVersionOf(db, randomUUID())).toBeUndefined()
    expect(await findVersion(db, versions[0]!.id)).toEqual(versions[0])
    const { text: _, ...facts } = versions[0]!
    expect((await versionFactsOf(db, [first!.id]))[0]).toEqual({ ...facts, text_length: 5 })
    expect(await versionTexts(db, [versions[0]!.id])).toEqual([{ id: versions[0]!.id, text: 'text\ud55c' }])
    const walked = [await listVersionFacts(db, '', 2)]
    walked.push(await listVersionFacts(db, walked[0]![1]!.id, 2))
    expect(walked.flat().map(({ id }) => id)).toEqual(versions.map(({ id }) => id).toSorted())
  })

  test('cannot share a number, a file, or have a file of unknown size', async () => {
    await using made = await create()
    const [first, second] = await withDocuments(made, 2)
    const version = aVersion({ document_id: first!.id })
    await made.database.write((tx) => insertVersions(tx, [version]))
    for (const wrong of [
      aVersion({ document_id: first!.id }),
      aVersion({ document_id: second!.id, media_key: version.media_key }),
      aVersion({ document_id: second!.id, size: null }),
      aVersion({ document_id: second!.id, number: -1 }),
      aVersion({ document_id: randomUUID() }),
    ]) {
      await expect(made.database.write((tx) => insertVersions(tx, [wrong]))).rejects.toMatchObject({
        code: 'program.fault',
      })
    }
  })

  test('pages come by version and number, with or without their texts, or a few at a time', async () => {
    await using made = await create()
    const { db, write } = made.database
    const [document] = await withDocuments(made, 1)
    const versions = [1, 2].map((number) => aVersion({ document_id: document!.id, number }))
    const ids = versions.map(({ id }) => id).toSorted()
    const pages = ids.flatMap((version) =>
      [1, 2, 10].map((number) => aPage({ version_id: version, number, text: `é${number}` })),
    )
    await write(async (tx) => {
      await insertVersions(tx, versions)
      await insertPages(tx, pages.toReversed())
    })
    expect(await pagesOf(db, ids)).toEqual(pages)
    expect(await pagesInRange(db, ids[0]!, -1, 2)).toEqual(pages.slice(0, 2))
    expect(await pagesInRange(db, ids[0]!, 2, 2)).toEqual(pages.slice(2, 3))
    const { text: _, ...facts } = pages[2]!
    expect((await pageFactsOf(db, [ids[0]!])).at(-1)).toEqual({ ...facts, text_length: 3 })
    expect(await pageTexts(db, [pages[2]!.id])).toEqual([{ id: pages[2]!.id, text: 'é10' }])
  })

  test('sidecars come by version, page and kind, and in a walk over all', async () => {
    await using made = await create()
    const { db, write } = made.database
    const [document] = await withDocuments(made, 1)
    const version = aVersion({ document_id: document!.id })
    const pages = [1, 2].map((number) => aPage({ version_id: version.id, number }))
    const sidecars = pages.flatMap((page) => ['b', 'a'].map((kind) => aSidecar({ page_id: page.id, kind })))
    await write(async (tx) => {
      await insertVersions(tx, [version])
      await insertPages(tx, pages)
      await insertSidecars(tx, sidecars)
    })
    expect(
      (await sidecarsOf(db, [version.id])).map((found) => [found.version_id, found.page_number, found.kind]),
    ).toEqual([
      [version.id, 1, 'a'],
      [version.id, 1, 'b'],
      [version.id, 2, 'a'],
      [version.id, 2, 'b'],
    ])
    const walked = await listSidecars(db, { page_id: '', kind: '' }, 3)
    walked.push(...(await listSidecars(db, walked[2]!, 3)))
    expect(walked).toHaveLength(4)
    expect(new Set(walked.map(({ media_key: key }) => key))).toEqual(new Set(sidecars.map(({ media_key: key }) => key)))
  })

  test('are read and written in any number', async () => {
    await using made = await create()
    const { db, write } = made.database
    const documents = await withDocuments(made, 2501)
    const versions = documents.map((document) => aVersion({ document_id: document.id, text: 'x'.repeat(2000) }))
    await write((tx) => insertVersions(tx, versions))
    expect(
      await versionsOf(
        db,
        documents.map(({ id }) => id),
      ),
    ).toEqual(versions)
    await write((tx) => insertVersions(tx, []))
    expect(await versionsOf(db, [])).toEqual([])
  })
})

describe.each(databases)('the journal of files on $name', ({ create }) => {
  test('lists each file once, in batches, until it is cleared', async () => {
    await using made = await create()
    const { db, write } = made.database
    const keys = Array.from({ length: 1500 }, (_, number) => `docs/${`${number}`.padStart(4, '0')}`)
    expect(await hasUnfinishedFiles(db)).toBe(false)
    await write((tx) => insertPendingFiles(tx, keys))
    await write((tx) => insertPendingFiles(tx, keys.slice(0, 2)))
    expect(await hasUnfinishedFiles(db)).toBe(true)
    expect(await listPendingFiles(db, '', 1000)).toEqual(keys.slice(0, 1000))
    expect(await listPendingFiles(db, keys[999]!, 1000)).toEqual(keys.slice(1000))
    await write((tx) => clearPendingFiles(tx, keys.slice(0, 1400)))
    expect(await listPendingFiles(db, '', 1000)).toHaveLength(100)
    await write((tx) => clearAllPendingFiles(tx))

    await write((tx) => discardFiles(tx, ['b', 'a', 'b']))
    expect(await hasUnfinishedFiles(db)).toBe(true)
    expect(await listDiscardedFiles(db, '', 10)).toEqual(['a', 'b'])
    await write((tx) => clearDiscardedFiles(tx, ['a', 'b']))
    expect(await hasUnfinishedFiles(db)).toBe(false)
  })

  test('knows which files a row refers to', async () => {
    await using made = await create()
    const { db, write } = made.database
    const [document] = await withDocuments(made, 1)
    const version = aVersion({ document_id: document!.id, media_key: 'docs/a' })
    const page = aPage({ version_id: version.id })
    await write(async (tx) => {
      await insertVersions(tx, [version])
      await insertPages(tx, [page])
      await insertSidecars(tx, [aSidecar({ page_id: page.id, media_key: 'sidecars/a' })])
    })
    expect(await keysInUse(db, ['docs/a', 'docs/b', 'sidecars/a', 'sidecars/b'])).toEqual(
      new Set(['docs/a', 'sidecars/a']),
    )
    expect(await keysInUse(db, [])).toEqual(new Set())
  })
})

describe.each(databases)('counting on $name', ({ create }) => {
  test('tells how much there is, of all or of one user', async () => {
    await using made = await create()
    const { db, write } = made.database
    const none = await countAll(db)
    const { trash, ...outside } = none
    expect(new Set([...Object.values(outside), ...Object.values(trash)])).toEqual(new Set([0]))
    const [user, other] = [aUser(), aUser()]
    const home = aNode({ user_id: user.id, title: '.home' })
    const inner = aNode({ user_id: user.id, parent_id: home.id, title: '.home' })
    const documents = [user, other].map(({ id }) => aNode({ user_id: id, type: 'document' }))
    const versions = documents.map(({ id }) => aVersion({ document_id: id, size: 2 ** 51 }))
    const pages = versions.map(({ id }) => aPage({ version_id: id }))
    await write(async (tx) => {
      await insertUsers(tx, [user, other])
      await insertGroups(tx, [{ id: 'g', name: 'g' }])
      await insertMemberships(tx, [{ user_id: other.id, group_id: 'g' }])
      await insertNodes(tx, [home, inner, ...documents])
      await insertVersions(tx, versions)
      await insertPages(tx, pages)
      await insertSidecars(
        tx,
        pages.map(({ id }) => aSidecar({ page_id: id })),
      )
      await insertTags(tx, [aTag({ user_id: user.id })])
    })
    const one = { documents: 1, versions: 1, pages: 1, sidecars: 1, originalBytes: 2 ** 51, sidecarBytes: 5 }
    expect(await countAll(db)).toEqual({
      ...{ users: 2, groups: 1, folders: 1, tags: 1, documents: 2, versions: 2, pages: 2, sidecars: 2 },
      ...{ originalBytes: 2 ** 52, sidecarBytes: 10, trash },
    })
    expect(await countAll(db, user.id)).toEqual({ users: 1, groups: 0, folders: 1, tags: 1, ...one, trash })
    expect(await countAll(db, other.id)).toEqual({ users: 1, groups: 1, folders: 0, tags: 0, ...one, trash })
  })
})
