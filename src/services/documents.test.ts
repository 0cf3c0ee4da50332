import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import { bytesOf, createInstance, type TestInstance, testTime } from '../../test/support/instances.ts'
import { hasUnfinishedFiles, insertPendingFiles } from '../database/queries/files.ts'
import { pagesOf } from '../database/queries/pages.ts'
import { sidecarsOf } from '../database/queries/sidecars.ts'
import { versionsOf } from '../database/queries/versions.ts'
import type { NewDocument } from './document-input.ts'
import { createDocuments } from './documents.ts'

describe.each(databases)('documents on $name', (kind) => {
  let instance: TestInstance
  let parent: { userId: string; parentId: string }
  const username = 'ada'

  beforeEach(async () => {
    instance = await createInstance(kind)
    const userId = await instance.users.add({ username, password: null })
    parent = { userId, parentId: (await instance.nodes.resolve({ username, path: '.inbox' })).id }
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
  })

  const newDocument = (title: string, ...texts: readonly string[]): NewDocument => ({
    ...parent,
    title,
    fileName: title,
    bytes: bytesOf(...texts),
    mediaType: 'application/pdf',
    pageCount: 2,
  })

  const files = async () => (await Array.fromAsync(instance.media.list())).map(({ key }) => key).sort()

  async function* broken(error: unknown): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    throw error
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await files()).toEqual([])
    expect(await hasUnfinishedFiles(instance.database.db)).toBe(false)
  }

  test('a document is there with its first version, its pages and its bytes', async () => {
    const { userId } = parent
    const { documentId, versionId } = await instance.documents.create(newDocument('scan.pdf', 'one ', 'two'))
    expect(await versionsOf(instance.database.db, [documentId])).toEqual([
      {
        id: versionId,
        document_id: documentId,
        number: 1,
        file_name: 'scan.pdf',
        size: 7,
        sha256: createHash('sha256').update('one two').digest('hex'),
        media_type: 'application/pdf',
        page_count: 2,
        lang: 'deu',
        short_description: '',
        text: '',
        created_at: testTime,
        media_key: `docs/user_${userId}/document_${documentId}/v1/scan.pdf`,
      },
    ])
    const pages = await pagesOf(instance.database.db, [versionId])
    expect(pages.map(({ number, lang, text }) => ({ number, lang, text }))).toEqual([
      { number: 1, lang: 'deu', text: '' },
      { number: 2, lang: 'deu', text: '' },
    ])
    expect(await readFile(join(instance.mediaRoot, (await files())[0]!), 'utf8')).toBe('one two')
    expect(await hasUnfinishedFiles(instance.database.db)).toBe(false)
    expect(await instance.nodes.resolve({ username, path: '.inbox/scan.pdf' })).toMatchObject({
      id: documentId,
      lang: 'deu',
      ocr: 1,
      ocr_status: 'unknown',
    })
  })

  test('versions are numbered, keep their own bytes, texts and sidecars', async () => {
    const { documentId } = await instance.documents.create(newDocument('scan.pdf', 'first'))
    const { versionId } = await instance.documents.addVersion({
      documentId,
      fileName: 'scan.pdf',
      bytes: bytesOf('second'),
      mediaType: 'application/pdf',
      pageCount: 1,
      lang: 'eng',
      text: 'whole text',
      shortDescription: 'with OCRed text layer',
      createdAt: '2020-01-02T03:04:05.678901Z',
      pages: [{ text: 'page one' }, { text: 'page two', lang: 'fra' }],
      sidecars: [
        { pageNumber: 1, kind: '_ocr.svg', bytes: bytesOf('<svg/>') },
        { pageNumber: 2, kind: '_ocr.svg', bytes: bytesOf('<svg></svg>') },
      ],
    })
    const versions = await versionsOf(instance.database.db, [documentId])
    expect(versions.map(({ number, size, text, lang }) => ({ number, size, text, lang }))).toEqual([
      { number: 1, size: 5, text: '', lang: 'deu' },
      { number: 2, size: 6, text: 'whole text', lang: 'eng' },
    ])
    expect(versions[1]).toMatchObject({ created_at: '2020-01-02T03:04:05.678901Z', page_count: 1 })
    const pages = await pagesOf(instance.database.db, [versionId])
    expect(pages.map(({ text, lang }) => `${lang} ${text}`)).toEqual(['eng page one', 'fra page two'])
    const sidecars = await sidecarsOf(instance.database.db, [versionId])
    expect(sidecars.map(({ kind: end, page_number, size }) => ({ end, page_number, size }))).toEqual([
      { end: '_ocr.svg', page_number: 1, size: 6 },
      { end: '_ocr.svg', page_number: 2, size: 11 },
    ])
    expect((await instance.check({ quick: false }, () => {})).leftOut.total).toBe(0)
    expect(await files()).toHaveLength(4)
  })

  test('a title that is taken, a parent that is none and a bad name are refused, and nothing is left', async () => {
    await expect(instance.documents.create({ ...newDocument('x'), title: 'a\0' })).rejects.toMatchObject({
      code: 'text.nul',
    })
    await expect(instance.documents.create({ ...newDocument('x'), fileName: '' })).rejects.toMatchObject({
      code: 'text.empty',
    })
    await expect(instance.documents.create({ ...newDocument('x'), pages: [{ text: '\ud800' }] })).rejects.toMatchObject(
      { code: 'text.surrogate' },
    )
    await expect(
      instance.documents.create({ ...newDocument('x', 'bytes'), parentId: parent.userId }),
    ).rejects.toMatchObject({ code: 'node.not_found' })
    await expect(
      instance.documents.addVersion({ ...newDocument('x', 'bytes'), documentId: parent.parentId }),
    ).rejects.toMatchObject({ code: 'node.not_found' })
    await expectNothingLeft()
    const { documentId } = await instance.documents.create(newDocument('x', 'kept'))
    await expect(instance.documents.create(newDocument('x', 'lost'))).rejects.toMatchObject({
      code: 'node.exists',
      details: { title: 'x', folder: '.inbox' },
    })
    await expect(
      instance.documents.create({ ...newDocument('y', 'lost'), parentId: documentId }),
    ).rejects.toMatchObject({ code: 'node.not_folder' })
    expect(await files()).toHaveLength(1)
  })

  test('bytes that end in a failure leave nothing behind, and the failure is passed on', async () => {
    const failure = new Error('the upload was cut')
    await expect(instance.documents.create({ ...newDocument('x'), bytes: broken(failure) })).rejects.toBe(failure)
    const sidecars = [{ pageNumber: 1, kind: '.jpg' as const, bytes: broken(failure) }]
    await expect(instance.documents.create({ ...newDocument('x', 'whole'), sidecars })).rejects.toBe(failure)
    await expectNothingLeft()
    expect(JSON.parse(await instance.tree({ text: false })).users[0].nodes).toHaveLength(2)
  })

  test('of several documents the good ones are stored, and each bad one says why', async () => {
    const failure = new Error('unreadable')
    const stored = await instance.documents.storeAll([
      newDocument('a', 'a'),
      { ...newDocument('b'), bytes: broken(failure) },
      newDocument('a', 'twin'),
      { ...newDocument('c', 'c'), title: '' },
      newDocument('d', 'd'),
    ])
    expect(stored.map((one) => ('failure' in one ? String(one.failure) : one.size))).toEqual([
      1,
      'Error: unreadable',
      'StrongroomError: There is something called a in .inbox already.',
      'StrongroomError: The title is empty.',
      1,
    ])
    expect(await files()).toHaveLength(2)
    expect(await hasUnfinishedFiles(instance.database.db)).toBe(false)
  })

  test('two versions of one document in one go get numbers of their own', async () => {
    const { documentId } = await instance.documents.create(newDocument('x', '1'))
    const version = (text: string) => ({ ...newDocument('x', text), documentId })
    const { title: _, ...second } = version('2')
    await instance.documents.storeAll([second, { ...second, bytes: bytesOf('3') }])
    await Promise.all([
      instance.documents.addVersion({ ...second, bytes: bytesOf('4') }),
      instance.documents.addVersion({ ...second, bytes: bytesOf('5') }),
    ])
    const versions = await versionsOf(instance.database.db, [documentId])
    expect(versions.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5])
    expect((await instance.check({ quick: false }, () => {})).leftOut.total).toBe(0)
  })

  test('a file that a dead process left at the usual place is neither replaced nor taken', async () => {
    const { documentId } = await instance.documents.create(newDocument('x.pdf', 'first'))
    const key = `docs/user_${parent.userId}/document_${documentId}/v2/x.pdf`
    await mkdir(join(instance.mediaRoot, key, '..'), { recursive: true })
    await writeFile(join(instance.mediaRoot, key), 'left over')
    await instance.database.write((tx) => insertPendingFiles(tx, [key]))
    await instance.documents.addVersion({
      documentId,
      fileName: 'x.pdf',
      bytes: bytesOf('second'),
      mediaType: 'application/pdf',
      pageCount: null,
    })
    const [, second] = await versionsOf(instance.database.db, [documentId])
    expect(second?.media_key).toMatch(/v2\/x~[0-9a-f-]{36}\.pdf$/)
    expect(await instance.recover()).toEqual({ unfinished: 1, discarded: 0 })
    expect(await readdir(join(instance.mediaRoot, key, '..'))).toEqual([second?.media_key?.split('/').at(-1)])
    expect((await instance.check({ quick: false }, () => {})).leftOut.total).toBe(0)
  })

  test('where the disk fails, nothing of the whole group is stored', async () => {
    const failing = createDocuments({
      ...instance,
      media: {
        ...instance.media,
        begin() {
          const batch = instance.media.begin()
          return { ...batch, sync: () => Promise.reject(new Error('the disk is gone')) }
        },
      },
    })
    await expect(failing.storeAll([newDocument('a', 'a'), newDocument('b', 'b')])).rejects.toThrow('the disk is gone')
    await expectNothingLeft()
  })

  test('recover removes what was written for rows that never came, and keeps what rows name', async () => {
    await instance.documents.create(newDocument('kept', 'kept'))
    const [kept] = await files()
    const batch = instance.media.begin()
    await batch.put('docs/user_x/document_y/v1/dead.pdf', bytesOf('dead'))
    await batch.sync()
    const never = 'docs/user_x/document_z/v1/never-written.pdf'
    await instance.database.write((tx) => insertPendingFiles(tx, [kept!, 'docs/user_x/document_y/v1/dead.pdf', never]))
    expect(await instance.recover()).toEqual({ unfinished: 2, discarded: 0 })
    expect(await files()).toEqual([kept])
    expect(await hasUnfinishedFiles(instance.database.db)).toBe(false)
    expect(await instance.recover()).toEqual({ unfinished: 0, discarded: 0 })
  })
})
