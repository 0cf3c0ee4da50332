import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TreeItem } from '../../contract/tree.ts'
import { openDatabase } from '../../database/open.ts'
import { openDiskStore } from '../../media/disk-store.ts'
import { createCommandInstance } from '../../../test/support/command-instances.ts'
import { databases } from '../../../test/support/databases.ts'
import { fillEverything } from '../../../test/support/everything.ts'
import { strictFindings } from '../staging/findings.ts'
import { createTreeWalk } from '../tree-walk.ts'
import { openArchiveContents } from './archive-contents.ts'
import type { Contents } from './contents.ts'
import { openInstanceContents } from './instance-contents.ts'
import { contentsItems } from './walk.ts'

const nothing = (): void => undefined
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-contents-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Reads all files, and gives the hash of each by its key. */
async function hashes(contents: Contents): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for await (const { keys, chunks } of contents.files(() => true)) {
    const hash = createHash('sha256')
    for await (const chunk of chunks()) hash.update(chunk)
    const digest = hash.digest('hex')
    for (const key of keys) found.set(key, digest)
  }
  return found
}

const toldHashes = ({ scratch }: Contents): ReadonlyMap<string, string> =>
  new Map(
    scratch
      .all(
        `select media_key, sha256 from plan_versions where media_key is not null
         union all select media_key, sha256 from plan_sidecars`,
      )
      .map(({ media_key, sha256 }) => [String(media_key), String(sha256)]),
  )

describe.each(databases)('the contents of an instance on $name', (kind) => {
  test('are the tree and the files of it, and those of its archive', async () => {
    await using instance = await createCommandInstance(kind)
    await fillEverything(instance)
    const path = join(folder, `${kind.name}.tar.gz`)
    await instance.report(['backup', path])

    const { dataDirectory, url } = instance
    await using database = await openDatabase({ dataDirectory, url })
    await using media = await openDiskStore(join(dataDirectory, 'media'))
    await using living = await openInstanceContents({ database, media, scratchDirectory: folder })
    await using archived = await openArchiveContents(
      { archive: path },
      { scratchDirectory: folder, sealedScratch: folder },
      strictFindings(nothing),
      nothing,
    )

    const tree: TreeItem[] = []
    for await (const item of createTreeWalk({ database })({ text: true })) tree.push(item)
    expect(tree.length).toBeGreaterThan(100)
    expect([...contentsItems(living.scratch, { text: true })]).toEqual(tree)
    expect([...contentsItems(archived.scratch, { text: true })]).toEqual(tree)

    const told = toldHashes(living)
    expect(told.size).toBeGreaterThan(20)
    expect(toldHashes(archived)).toEqual(told)
    expect(await hashes(living)).toEqual(told)
    expect(await hashes(archived)).toEqual(told)
  })
})
