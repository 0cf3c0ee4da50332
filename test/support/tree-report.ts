/** What `tree --json --text` prints, as others may rely on it. */
export interface TreePage {
  readonly id: string
  readonly number: number
  readonly lang: string
  readonly text: string
}

export interface TreeVersion {
  readonly id: string
  readonly number: number
  readonly file_name: string | null
  readonly size: number | null
  readonly sha256: string | null
  readonly media_type: string | null
  readonly page_count: number | null
  readonly lang: string
  readonly short_description: string
  readonly created_at: string | null
  readonly text: string
  readonly pages: readonly TreePage[]
}

export interface TreeNode {
  readonly id: string
  readonly type: 'folder' | 'document'
  readonly path: readonly string[]
  readonly title: string
  readonly tags: readonly string[]
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly lang: string | null
  readonly ocr: boolean | null
  readonly ocr_status: string | null
  readonly versions: readonly TreeVersion[]
}

export interface TreeTag {
  readonly name: string
  readonly bg_color: string
  readonly fg_color: string
  readonly description: string | null
  readonly pinned: boolean
}

export interface TreeUser {
  readonly id: string
  readonly username: string
  readonly email: string
  readonly is_active: boolean
  readonly is_superuser: boolean
  readonly tags: readonly TreeTag[]
  readonly nodes: readonly TreeNode[]
}

export interface Tree {
  readonly users: readonly TreeUser[]
}
