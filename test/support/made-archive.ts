import { createCipheriv, createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { createArchiveWriter } from '../../src/archive/archive-writer.ts'
import { metadataName } from '../../src/archive/layout.ts'
import { sidecarKinds } from '../../src/domain/sidecars.ts'
import { sidecarKey, versionKey } from '../../src/media/keys.ts'
import { createSpool, type Spool } from '../../src/std/spool.ts'

/** What an archive of any size is made of; the same description gives the same bytes. */
export interface MadeContents {
  readonly documents: number
  readonly documentBytes: number
  /** Of each document, with a line of text each. */
  readonly pages: number
  /** Of each page, up to five. */
  readonly sidecars?: number
  /** One document more, at the beginning, of so many bytes: noise, or zeros, which are quick to compress. */
  readonly large?: { readonly bytes: number; readonly of: 'noise' | 'zeros' }
}

const documentsPerFolder = 500
const created = '2026-11-24T14:03:52.304446Z'
const mtime = Math.floor(Date.parse(created) / 1000)
const zeros = Buffer.alloc(1 << 20)
/** The one account of the archive. */
export const madeUser = { id: idOf('user', 0), name: 'bench' } as const

/** The id of a document by its number; the large one is number -1. */
export const madeDocumentId = (number: number): string => idOf('document', number)

function idOf(kind: string, number: number): string {
  const hex = createHash('sha256').update(`${kind} ${number}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** As incompressible as a scan, the same for the same seed: AES in counter mode. */
export async function* noiseOf(seed: number, length: number): AsyncGenerator<Buffer> {
  const key = Buffer.alloc(16)
  key.writeInt32LE(seed)
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  for (let left = length; left > 0; left -= zeros.length) yield cipher.update(zeros.subarray(0, left))
}

async function* zerosOf(length: number): AsyncGenerator<Buffer> {
  for (let left = length; left > 0; left -= zeros.length) yield zeros.subarray(0, left)
}

interface MadeFile {
  readonly size: number
  readonly content: () => AsyncIterable<Buffer>
}

async function sha256Of({ content }: MadeFile): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of content()) hash.update(chunk)
  return hash.digest('hex')
}

interface MadeDocument extends MadeFile {
  readonly number: number
  readonly id: string
  readonly title: string
  readonly folder: string
  readonly parent: string
}

function* documentsOf({ documents, documentBytes, large }: MadeContents): Generator<MadeDocument> {
  if (large !== undefined) {
    const { bytes, of } = large
    const content = () => (of === 'zeros' ? zerosOf(bytes) : noiseOf(-1, bytes))
    yield {
      number: -1,
      id: madeDocumentId(-1),
      title: 'Large.pdf',
      folder: '.home',
      parent: idOf('folder', 0),
      size: bytes,
      content,
    }
  }
  for (let number = 0; number < documents; number += 1) {
    const index = Math.floor(number / documentsPerFolder)
    yield {
      number,
      id: madeDocumentId(number),
      title: `Document ${number}.pdf`,
      folder: `.home/Folder ${index}`,
      // After the home and the inbox.
      parent: idOf('folder', 2 + index),
      size: documentBytes,
      content: () => noiseOf(number, documentBytes),
    }
  }
}

interface MadeSidecar extends MadeFile {
  readonly page: number
  readonly kind: (typeof sidecarKinds)[number]
}

function* sidecarsOf({ pages, sidecars = 0 }: MadeContents, { number }: MadeDocument): Generator<MadeSidecar> {
  for (let page = 1; page <= pages; page += 1) {
    for (const kind of sidecarKinds.slice(0, sidecars)) {
      const bytes = Buffer.from(`${kind} of page ${page} of document ${number}\n`.repeat(4))
      yield { page, kind, size: bytes.length, content: () => once(bytes) }
    }
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

const keyOf = ({ id, title }: MadeDocument): string =>
  versionKey({ userId: madeUser.id, documentId: id, number: 1, fileName: title })

const sidecarKeyOf = ({ id }: MadeDocument, { page, kind }: MadeSidecar): string =>
  sidecarKey({ userId: madeUser.id, documentId: id, number: 1, pageNumber: page, kind })

async function recordOf(contents: MadeContents, document: MadeDocument): Promise<object> {
  const { number, id, title, folder, parent, size } = document
  const sidecars = new Map<number, object[]>()
  for (const sidecar of sidecarsOf(contents, document)) {
    const { page, kind } = sidecar
    const facts = { kind, size: sidecar.size, sha256: await sha256Of(sidecar) }
    sidecars.set(page, [...(sidecars.get(page) ?? []), facts])
  }
  const pages = Array.from({ length: contents.pages }, (_, index) => ({
    number: index + 1,
    page_count: contents.pages,
    lang: 'deu',
    text: `Page ${index + 1} of document ${number}. `.repeat(40).trim(),
    strongroom: {
      id: idOf(`page ${index + 1} of`, number),
      ...(sidecars.has(index + 1) ? { sidecars: sidecars.get(index + 1) } : {}),
    },
  }))
  const version = {
    file_path: keyOf(document),
    number: 1,
    file_name: title,
    size,
    page_count: contents.pages,
    lang: 'deu',
    text: `Document ${number}. `.repeat(20).trim(),
    pages,
    strongroom: {
      id: idOf('version', number),
      sha256: await sha256Of(document),
      media_type: 'application/pdf',
      created_at: created,
    },
  }
  const dates = { created_at: created, updated_at: created }
  const node = { id, breadcrumb: `${folder}/${title}`, ctype: 'document', title, tags: [], ...dates, lang: 'deu' }
  return { ...node, versions: [version], strongroom: { parent } }
}

async function writeMetadata(spool: Spool, contents: MadeContents): Promise<void> {
  const own = { format: 1, writer: 'Strongroom', created, links: 'symbolic', groups: [] }
  const user = { id: madeUser.id, username: madeUser.name, password: null, is_active: true, is_superuser: true }
  const folder = (path: string, number: number) => ({
    breadcrumb: `${path}/`,
    ctype: 'folder',
    title: path.split('/').at(-1),
    tags: [],
    created_at: created,
    updated_at: created,
    strongroom: { id: idOf('folder', number), parent: path.includes('/') ? idOf('folder', 0) : null },
  })
  const top = JSON.stringify({ created: '24.11.2026-14:03:52', version: '2.1.9', strongroom: own })
  await spool.write(`${top.slice(0, -1)},"users":[${JSON.stringify(user).slice(0, -1)},"tags":[],"nodes":[\n`)
  const folders = Array.from(
    { length: Math.ceil(contents.documents / documentsPerFolder) },
    (_, number) => `.home/Folder ${number}`,
  )
  await spool.write(
    ['.home', '.inbox', ...folders].map((path, number) => JSON.stringify(folder(path, number))).join(',\n'),
  )
  for (const document of documentsOf(contents))
    await spool.write(`,\n${JSON.stringify(await recordOf(contents, document))}`)
  await spool.write('\n]}]}')
}

/** Writes an archive of ours with the program's own writer, in memory that does not depend on its size. */
export async function makeArchive(path: string, scratchFolder: string, contents: MadeContents): Promise<void> {
  await using metadata = await createSpool(scratchFolder)
  await writeMetadata(metadata, contents)
  await using file = await open(path, 'wx')
  await using writer = await createArchiveWriter((bytes) => file.writeFile(bytes), scratchFolder)
  await writer.addFile({ name: metadataName, size: metadata.size, mtime, content: metadata.chunks() })
  for (const document of documentsOf(contents)) {
    await writer.addFile({ name: keyOf(document), size: document.size, mtime, content: document.content() })
  }
  for (const document of documentsOf(contents)) {
    for (const sidecar of sidecarsOf(contents, document)) {
      const { size, content } = sidecar
      await writer.addFile({ name: sidecarKeyOf(document, sidecar), size, mtime, content: content() })
    }
  }
  await writer.finish(mtime)
}
