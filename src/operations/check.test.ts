import { appendFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import { bytesOf, createInstance, type TestInstance } from '../../test/support/instances.ts'
import type { CheckReport } from '../contract/check-report.ts'
import { discardFiles, insertPendingFiles } from '../database/queries/files.ts'
import { versionsOf } from '../database/queries/versions.ts'

describe.each(databases)('check on $name', (kind) => {
  let instance: TestInstance
  let document: { documentId: string; key: string }
  const username = 'ada'

  beforeEach(async () => {
    instance = await createInstance(kind)
    const userId = await instance.users.add({ username, password: null })
    const folder = await instance.nodes.makeFolder({ username, path: 'Taxes', parents: false })
    const { documentId } = await instance.documents.create({
      userId,
      parentId: folder,
      title: 'and/or.pdf',
      fileName: 'scan.pdf',
      bytes: bytesOf('original'),
      mediaType: 'application/pdf',
      pageCount: 1,
      sidecars: [{ pageNumber: 1, kind: '_ocr.svg', bytes: bytesOf('<svg/>') }],
    })
    const [version] = await versionsOf(instance.database.db, [documentId])
    document = { documentId, key: version!.media_key! }
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
  })

  const check = (quick = false): Promise<CheckReport> => instance.check({ quick }, () => {})
  const findings = (report: CheckReport) => report.leftOut.listed.map(({ code, about }) => `${code} ${about}`)
  const onDisk = (key: string) => join(instance.mediaRoot, key)
  const sidecar = () =>
    onDisk(document.key).replace('/docs/', '/sidecars/').replace('scan.pdf', 'pages/000001/000001_ocr.svg')

  test('an instance in order has no findings', async () => {
    const report = await check()
    expect(report).toMatchObject({ operation: 'check', quick: false, files: 2, bytes: 14 })
    expect(report.leftOut.total + report.warnings.total).toBe(0)
    let last
    await instance.check({ quick: true }, (progress) => (last = progress))
    expect(last).toEqual({ phase: 'check', done: 14, total: 14, unit: 'bytes' })
  })

  test('the files of what is in the trash are checked too', async () => {
    await instance.nodes.remove({ username, paths: ['Taxes'] })
    expect(await check()).toMatchObject({ files: 2, bytes: 14, leftOut: { total: 0 } })
    await rm(onDisk(document.key))
    expect(findings(await check())).toEqual(['check.missing ada: Taxes/and\\/or.pdf (in the trash), version 1'])
  })

  test('a missing file is named by its path, version and page', async () => {
    await rm(onDisk(document.key))
    await rm(sidecar())
    for (const quick of [false, true]) {
      const report = await check(quick)
      expect(report.missing).toBe(2)
      expect(findings(report)).toEqual([
        'check.missing ada: .home/Taxes/and\\/or.pdf, version 1',
        'check.missing ada: .home/Taxes/and\\/or.pdf, version 1, page 1, _ocr.svg',
      ])
    }
  })

  test('a file of another size is found, and with hashes one of the same size too', async () => {
    await appendFile(sidecar(), 'x')
    await writeFile(onDisk(document.key), 'Original')
    expect(await check(true)).toMatchObject({ changed: 1 })
    const report = await check()
    expect(report.changed).toBe(2)
    expect(report.leftOut.listed[0]!.message).toContain('SHA-256')
  })

  test('a link in the place of a file is no file', async () => {
    await rm(onDisk(document.key))
    await symlink('/etc/passwd', onDisk(document.key))
    expect(await check()).toMatchObject({ missing: 1, orphaned: 0 })
  })

  test('a file that nothing names is an orphan, wherever it lies', async () => {
    await mkdir(onDisk('docs/user_x/deep'), { recursive: true })
    await writeFile(onDisk('docs/user_x/deep/stray'), 'x')
    await symlink('/etc', onDisk('sidecars/link'))
    const report = await check()
    expect(report.orphaned).toBe(2)
    expect(findings(report).sort()).toEqual(['check.orphaned docs/user_x/deep/stray', 'check.orphaned sidecars/link'])
  })

  test('unfinished work is a warning and no orphan', async () => {
    const batch = instance.media.begin()
    await batch.put('docs/pending', bytesOf('x'))
    await batch.put('docs/discarded', bytesOf('x'))
    await instance.database.write(async (tx) => {
      await insertPendingFiles(tx, ['docs/pending'])
      await discardFiles(tx, ['docs/discarded'])
    })
    const report = await check()
    expect(report).toMatchObject({ unfinished: 2, orphaned: 0 })
    expect(report.warnings.byCode).toEqual({ 'check.unfinished': 2 })
    expect(report.leftOut.total).toBe(0)
  })

  test('what others write meanwhile is neither missing nor an orphan', async () => {
    let added: Promise<unknown> | undefined
    const report = await instance.check({ quick: false }, () => {
      added ??= instance.documents.addVersion({
        documentId: document.documentId,
        fileName: 'second.pdf',
        bytes: bytesOf('second'),
        mediaType: 'application/pdf',
        pageCount: null,
      })
    })
    await added
    expect(report.leftOut.total).toBe(0)
    expect(await check()).toMatchObject({ files: 3 })
  })

  test('it can be ended', async () => {
    const reason = new Error('ended')
    await expect(instance.check({ quick: false }, () => {}, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
