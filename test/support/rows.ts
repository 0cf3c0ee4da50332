import { randomUUID } from 'node:crypto'
import type { NodeRow, PageRow, SidecarRow, TagRow, UserRow, VersionRow } from '../../src/database/schema.ts'

const moment = '2026-11-24T14:03:52.304446Z'

/** Rows that the database accepts, for tests to name only what they are about. */
export const aUser = (given: Partial<UserRow> = {}): UserRow => ({
  id: randomUUID(),
  username: `user-${randomUUID()}`,
  password: '!',
  email: '',
  first_name: '',
  last_name: '',
  is_active: 1,
  is_superuser: 0,
  is_staff: 0,
  date_joined: moment,
  last_login: null,
  created_at: moment,
  updated_at: moment,
  ...given,
})

export const aNode = (given: Partial<NodeRow> & Pick<NodeRow, 'user_id'>): NodeRow => ({
  id: randomUUID(),
  parent_id: null,
  type: 'folder',
  title: `node ${randomUUID()}`,
  created_at: moment,
  updated_at: moment,
  deleted_at: null,
  deleted_parent: null,
  deleted_from: null,
  ...(given.type === 'document'
    ? { lang: 'eng', ocr: 0, ocr_status: 'unknown' }
    : { lang: null, ocr: null, ocr_status: null }),
  ...given,
})

export const aTag = (given: Partial<TagRow> & Pick<TagRow, 'user_id'>): TagRow => ({
  id: randomUUID(),
  name: `tag ${randomUUID()}`,
  bg_color: '#ff0000',
  fg_color: '#ffffff',
  description: null,
  pinned: 0,
  ...given,
})

export const aVersion = (given: Partial<VersionRow> & Pick<VersionRow, 'document_id'>): VersionRow => {
  const id = given.id ?? randomUUID()
  return {
    id,
    number: 1,
    file_name: 'file.pdf',
    size: 10,
    sha256: 'a'.repeat(64),
    media_type: 'application/pdf',
    page_count: 1,
    lang: 'eng',
    short_description: '',
    text: '',
    created_at: moment,
    media_key: `docs/${id}`,
    ...given,
  }
}

export const aPage = (given: Partial<PageRow> & Pick<PageRow, 'version_id'>): PageRow => ({
  id: randomUUID(),
  number: 1,
  lang: 'eng',
  text: '',
  ...given,
})

export const aSidecar = (given: Partial<SidecarRow> & Pick<SidecarRow, 'page_id'>): SidecarRow => {
  const kind = given.kind ?? 'text'
  return { kind, size: 5, sha256: 'b'.repeat(64), media_key: `sidecars/${given.page_id}/${kind}`, ...given }
}
