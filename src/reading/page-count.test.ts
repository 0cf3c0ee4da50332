import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { PDFDocument } from '@cantoo/pdf-lib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPageCounter, type PageCounter } from './page-count.ts'

let folder: string
let counter: PageCounter

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-reading-'))
  counter = createPageCounter()
})

afterAll(async () => {
  await counter[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function pdf(pages: number): Promise<PDFDocument> {
  const document = await PDFDocument.create()
  for (let page = 0; page < pages; page += 1) document.addPage([200, 200])
  return document
}

async function fileOf(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

/** A PDF of these objects, with a right table of where they start; `gap` bytes are left out before that table. */
function rawPdf(objects: readonly string[], gap = 0): { beginning: Buffer; end: Buffer } {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')]
  const starts: number[] = []
  const length = () => parts.reduce((sum, part) => sum + part.length, 0)
  objects.forEach((object, index) => {
    starts.push(length())
    parts.push(Buffer.from(`${index + 1} 0 obj\n${object}\nendobj\n`))
  })
  const xref = length() + gap
  const rows = starts.map((start) => `${String(start).padStart(10, '0')} 00000 n \n`).join('')
  const size = objects.length + 1
  const end = `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<</Size ${size}/Root 1 0 R>>\nstartxref\n${xref}\n%%EOF\n`
  return { beginning: Buffer.concat(parts), end: Buffer.from(end) }
}

const whole = (parts: { beginning: Buffer; end: Buffer }): Buffer => Buffer.concat([parts.beginning, parts.end])

test('a PDF has as many pages as it has', async () => {
  for (const pages of [1, 3, 1500]) {
    const path = await fileOf(`${pages}.pdf`, await (await pdf(pages)).save())
    expect(await counter.countPages(path)).toEqual({ pages })
  }
})

test('a PDF is known by its content, whatever its name, even after other bytes', async () => {
  const bytes = await (await pdf(2)).save({ useObjectStreams: false })
  expect(await counter.countPages(await fileOf('no-extension', bytes))).toEqual({ pages: 2 })
  expect(await counter.countPages(await fileOf('late', Buffer.concat([Buffer.alloc(500, 10), bytes])))).toEqual({
    pages: 2,
  })
  expect(await counter.countPages(await fileOf('text.pdf', 'only a text'))).toBeUndefined()
  expect(await counter.countPages(await fileOf('empty.pdf', ''))).toBeUndefined()
})

test('an encrypted and a damaged PDF are problems, and the next file is still counted', async () => {
  const encrypted = await pdf(1)
  encrypted.encrypt({ userPassword: 'secret', ownerPassword: 'secret' })
  const locked = await fileOf('locked.pdf', await encrypted.save())
  expect(await counter.countPages(locked)).toEqual({ problem: 'it is protected by a password' })
  expect(await counter.countPages(await fileOf('damaged.pdf', '%PDF-1.7\nnothing more'))).toEqual({
    problem: 'it is damaged',
  })
  const good = await fileOf('good.pdf', await (await pdf(1)).save())
  expect(await counter.countPages(good)).toEqual({ pages: 1 })
})

test('a PDF that claims pages that it lacks is a problem', async () => {
  const bytes = rawPdf([
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1000000>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>',
  ])
  expect(await counter.countPages(await fileOf('liar.pdf', whole(bytes)))).toEqual({
    problem: expect.stringContaining('lacks'),
  })
})

test('a PDF whose page tree bites its own tail is answered', async () => {
  const bytes = rawPdf(['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[2 0 R 2 0 R]/Count 7/Parent 2 0 R>>'])
  expect(await counter.countPages(await fileOf('circle.pdf', whole(bytes)))).toEqual({ problem: expect.any(String) })
})

test('a PDF that unfolds to more than the memory limit is a problem and no end of the program', async () => {
  const bomb = deflateSync(Buffer.alloc(300 * 1024 * 1024, 32))
  const stream = Buffer.concat([
    Buffer.from(`<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length ${bomb.length}>>\nstream\n`),
    bomb,
    Buffer.from('\nendstream'),
  ])
  const head = Buffer.concat([Buffer.from('%PDF-1.7\n1 0 obj\n'), stream, Buffer.from('\nendobj\n')])
  // Entries of the cross-reference stream: object 1 in the open, object 2 (the catalog) inside the bomb.
  const rows = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 9, 0, 2, 0, 0, 1, 0])
  const xref = Buffer.concat([
    Buffer.from(`3 0 obj\n<</Type/XRef/Size 3/W[1 3 1]/Root 2 0 R/Length ${rows.length}>>\nstream\n`),
    rows,
    Buffer.from(`\nendstream\nendobj\nstartxref\n${head.length}\n%%EOF\n`),
  ])
  const path = await fileOf('bomb.pdf', Buffer.concat([head, xref]))
  expect(await counter.countPages(path)).toEqual({ problem: expect.any(String) })
  expect(await counter.countPages(await fileOf('after.pdf', await (await pdf(1)).save()))).toEqual({ pages: 1 })
})

test('a file that takes too long is given up, and the next is counted', async () => {
  await using hasty = createPageCounter({ milliseconds: 1 })
  const path = await fileOf('slow.pdf', await (await pdf(1)).save())
  expect(await hasty.countPages(path)).toEqual({ problem: expect.stringContaining('took longer') })
  expect(await counter.countPages(path)).toEqual({ pages: 1 })
})

test('a large file is not read whole, and none stays open', async () => {
  const path = join(folder, 'large.pdf')
  const gap = 3 * 1024 ** 3
  const { beginning, end } = rawPdf(
    [
      '<</Type/Catalog/Pages 2 0 R>>',
      '<</Type/Pages/Kids[3 0 R]/Count 1>>',
      '<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>',
    ],
    gap,
  )
  const file = await open(path, 'w')
  await file.write(beginning)
  await file.write(end, 0, end.length, beginning.length + gap)
  await file.close()
  const before = (await readdir('/proc/self/fd')).length
  expect(await counter.countPages(path)).toEqual({ pages: 1 })
  expect((await readdir('/proc/self/fd')).length).toBe(before)
})

test('files that are asked for side by side get their own answers', async () => {
  const paths = await Promise.all([1, 2, 3].map(async (n) => fileOf(`side-${n}.pdf`, await (await pdf(n)).save())))
  expect(await Promise.all(paths.map((path) => counter.countPages(path)))).toEqual([
    { pages: 1 },
    { pages: 2 },
    { pages: 3 },
  ])
})

test('a file that is not there is the caller’s failure', async () => {
  await expect(counter.countPages(join(folder, 'nowhere.pdf'))).rejects.toMatchObject({ code: 'ENOENT' })
})
