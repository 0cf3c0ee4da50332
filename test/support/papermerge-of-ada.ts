import { createPapermerge, type Papermerge, type PapermergeKind } from './papermerge.ts'

/** The nth of the ids that these tests give. */
export const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
export const adaId = uuid(1)
export const homeId = uuid(2)

export async function addFolder(
  papermerge: Papermerge,
  id: string,
  title: string,
  parent_id: string | null,
): Promise<void> {
  const at = '2023-01-20T06:58:27.691980Z'
  const row = { id, title, lang: 'deu', created_at: at, updated_at: at, parent_id, user_id: adaId, ctype: 'folder' }
  await papermerge.insert('core_basetreenode', row)
  await papermerge.insert('core_folder', { basetreenode_ptr_id: id })
}

/** A Papermerge of the user ada, with a home and an inbox. */
export async function papermergeOfAda(kind: PapermergeKind): Promise<Papermerge> {
  const papermerge = await createPapermerge(kind)
  await papermerge.insert('core_user', {
    id: adaId,
    password: 'pbkdf2_sha256$1$salt$hash',
    last_login: null,
    is_superuser: true,
    username: 'ada',
    first_name: 'Ada',
    last_name: '',
    email: 'ada@example.org',
    is_staff: true,
    is_active: true,
    date_joined: '2023-01-20T06:58:27.691980Z',
    created_at: '2023-01-20T06:58:27Z',
    updated_at: '2023-01-20T06:58:27.000001Z',
  })
  await addFolder(papermerge, homeId, '.home', null)
  await addFolder(papermerge, uuid(3), '.inbox', null)
  return papermerge
}

interface NewDocument {
  readonly parent?: string | null
  /** Null for one that was never uploaded. */
  readonly fileName?: string | null
  readonly content?: string
  readonly text?: string
}

/** Where the file of a document's first version lies. */
export const fileOf = (id: string, fileName = 'scan.pdf'): string => `docs/user_${adaId}/document_${id}/v1/${fileName}`

export async function addDocument(
  papermerge: Papermerge,
  number: number,
  title: string,
  { parent = homeId, fileName = 'scan.pdf', content, text = '' }: NewDocument = {},
): Promise<string> {
  const id = uuid(number)
  const at = '2023-01-20T06:58:27.691980Z'
  const node = { id, title, lang: 'eng', created_at: at, updated_at: at, parent_id: parent, user_id: adaId }
  await papermerge.insert('core_basetreenode', { ...node, ctype: 'document' })
  await papermerge.insert('core_document', { basetreenode_ptr_id: id, ocr: true, ocr_status: 'succeeded' })
  const version = {
    id: uuid(number + 1_000_000),
    document_id: id,
    number: 1,
    file_name: fileName,
    size: 0,
    page_count: 1,
  }
  await papermerge.insert('core_documentversion', { ...version, lang: 'eng', short_description: 'Original', text })
  await papermerge.insert('core_page', {
    id: uuid(number + 2_000_000),
    document_version_id: version.id,
    number: 1,
    page_count: 1,
    lang: 'eng',
    text,
  })
  if (content !== undefined && fileName !== null) await papermerge.put(fileOf(id, fileName), content)
  return id
}
