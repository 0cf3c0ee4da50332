import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { extract, pack, type Header } from 'tar-stream'
import { createArchiveWriter } from '../../src/archive/archive-writer.ts'

/** A member of an archive as it stands in the tar; only files have content. */
export interface Member {
  readonly name: string
  readonly type: NonNullable<Header['type']>
  readonly linkname: string
  readonly content: Buffer
}

export const aFile = (name: string, content: string | Buffer): Member => ({
  name,
  type: 'file',
  linkname: '',
  content: Buffer.from(content),
})

export const aLink = (name: string, linkname: string): Member => ({
  name,
  type: 'symlink',
  linkname,
  content: Buffer.alloc(0),
})

export const aFolder = (name: string): Member => ({ name, type: 'directory', linkname: '', content: Buffer.alloc(0) })

/** Packs members as a program would that knows nothing of ours. */
export async function packArchive(path: string, members: readonly Member[]): Promise<void> {
  const tar = pack()
  const written = pipeline(tar, createGzip({ level: 1 }), createWriteStream(path))
  for (const { name, type, linkname, content } of members) {
    tar.entry({ name, type, size: content.length, ...(linkname === '' ? {} : { linkname }) }, content)
  }
  tar.finalize()
  await written
}

export async function unpackArchive(path: string): Promise<Member[]> {
  const members: Member[] = []
  const tar = createReadStream(path).pipe(createGunzip()).pipe(extract())
  for await (const entry of tar) {
    const { name, type, linkname } = entry.header
    const parts: Buffer[] = []
    for await (const part of entry) parts.push(Buffer.from(part as Buffer))
    members.push({ name, type: type ?? 'file', linkname: linkname ?? '', content: Buffer.concat(parts) })
  }
  return members
}

/**
 * Writes an archive of ours again with other members, its SHA256SUMS and index made anew: sound as far as they go, and no
 * longer what was backed up.
 */
export async function rewriteArchive(
  { from, to, scratch }: { readonly from: string; readonly to: string; readonly scratch: string },
  edit: (members: readonly Member[]) => readonly Member[],
): Promise<void> {
  const members = (await unpackArchive(from)).filter(({ name }) => name !== 'SHA256SUMS' && name !== 'strongroom/index')
  await using file = await open(to, 'w')
  await using writer = await createArchiveWriter(async (bytes) => void (await file.writeFile(bytes)), scratch)
  const mtime = 1_795_525_432
  for (const { name, type, linkname, content } of edit(members)) {
    if (type === 'file') await writer.addFile({ name, mtime, size: content.length, content: once(content) })
    else if (type === 'directory') await writer.addFolder({ name: name.replace(/\/$/, ''), mtime })
    else await writer.addLink({ name, mtime, target: linkname, type: type === 'link' ? 'hardlink' : 'symlink' })
  }
  await writer.finish(mtime)
}

async function* once(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content
}

export type Json = Record<string, unknown>

/** What tests change in a backup.json of ours. */
export interface Metadata extends Json {
  readonly strongroom: Json
  readonly users: (Json & { readonly strongroom: Json; readonly nodes: (Json & { readonly versions?: Json[] })[] })[]
}

/** For `rewriteArchive`: backup.json as a value, changed. */
export const editMetadata =
  (change: (metadata: Metadata) => void) =>
  (members: readonly Member[]): readonly Member[] =>
    members.map((member) => {
      if (member.name !== 'backup.json') return member
      const metadata = JSON.parse(member.content.toString()) as Metadata
      change(metadata)
      return aFile(member.name, JSON.stringify(metadata))
    })

export const ids = {
  user: 'c62a1b24-0000-4000-8000-00000000000a',
  document: '023c8328-0000-4000-8000-00000000000b',
  version: '5a0b3f10-0000-4000-8000-00000000000c',
  page: '9d1c2e30-0000-4000-8000-00000000000d',
} as const

const moment = '2023-01-20T06:58:27.691980+01:00'

/** Objects of backup.json as Papermerge 2.1.9 writes them. */
export const papermerge = {
  user: (given: Json = {}): Json => ({
    id: ids.user,
    nodes: [papermerge.folder('.inbox/'), papermerge.folder('.home/')],
    tags: [],
    password: 'pbkdf2_sha256$260000$Tz07gCAfjH8n3rUQhlBLfR$lZDDPZRMdOkLCHja0xlvPM/Z7+rQPfShFgBk8U1se1o=',
    last_login: null,
    is_superuser: false,
    username: 'john',
    first_name: '',
    last_name: '',
    email: 'john@mail.com',
    is_staff: false,
    is_active: true,
    date_joined: moment,
    created_at: moment,
    updated_at: moment,
    groups: [],
    user_permissions: [],
    ...given,
  }),
  folder: (breadcrumb: string, given: Json = {}): Json => ({
    breadcrumb,
    tags: [],
    ctype: 'folder',
    title: breadcrumb.split('/').at(-2),
    created_at: moment,
    updated_at: moment,
    ...given,
  }),
  document: (breadcrumb: string, given: Json = {}): Json => ({
    id: ids.document,
    breadcrumb,
    tags: [],
    versions: [papermerge.version()],
    ctype: 'document',
    title: breadcrumb.split('/').at(-1),
    lang: 'deu',
    created_at: moment,
    updated_at: moment,
    ocr: true,
    ocr_status: 'unknown',
    ...given,
  }),
  version: (given: Json = {}): Json => ({
    pages: [],
    file_path: 'ignored',
    lang: 'deu',
    number: 1,
    file_name: 'scan.pdf',
    size: 0,
    page_count: 1,
    short_description: 'Original',
    text: '',
    ...given,
  }),
  page: (given: Json = {}): Json => ({
    file_path: 'ignored',
    text: '',
    number: 1,
    page_count: 1,
    lang: 'deu',
    ...given,
  }),
  tag: (name: string, given: Json = {}): Json => ({
    bg_color: '#c41fff',
    fg_color: '#FFFFFF',
    description: null,
    pinned: false,
    name,
    ...given,
  }),
} as const

/** The file of a version where Papermerge 2.1 keeps it. */
export const docsFile = (number: number, name: string, content: string): Member =>
  aFile(`docs/user_${ids.user}/document_${ids.document}/${number === 0 ? '' : `v${number}/`}${name}`, content)

/** Packs users and files as Papermerge 2.1.9 does: backup.json comes last. */
export const packPapermerge = (path: string, users: readonly Json[], members: readonly Member[] = []): Promise<void> =>
  packArchive(path, [
    ...members,
    aFile('backup.json', JSON.stringify({ created: '24.11.2026-14:03:52', version: '2.1.9', users })),
  ])
