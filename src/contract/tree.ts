/** What `tree` shows, as its JSON names it. Dates are UTC with six decimals and `Z`, null where unknown. */

export interface TreeUser {
  readonly id: string
  readonly username: string
  readonly email: string
  readonly is_active: boolean
  readonly is_superuser: boolean
}

export interface TreeTag {
  readonly name: string
  readonly bg_color: string
  readonly fg_color: string
  readonly description: string | null
  readonly pinned: boolean
}

export interface TreeNode {
  readonly id: string
  readonly type: 'folder' | 'document'
  /** From the top level down to the node itself. */
  readonly path: readonly string[]
  readonly title: string
  /** Names, by their UTF-8 bytes. */
  readonly tags: readonly string[]
  readonly created_at: string | null
  readonly updated_at: string | null
  /** This and the next two are null for a folder. */
  readonly lang: string | null
  readonly ocr: boolean | null
  readonly ocr_status: string | null
}

/** The top of what was moved to the trash together, where it is shown. */
export interface TrashedNode extends TreeNode {
  readonly deleted_at: string
  /** Its path on that day, as text. */
  readonly deleted_from: string | null
}

export interface TreeVersion {
  readonly id: string
  readonly number: number
  readonly file_name: string | null
  /** The true number of bytes. */
  readonly size: number | null
  readonly sha256: string | null
  readonly media_type: string | null
  readonly page_count: number | null
  readonly lang: string
  readonly short_description: string
  readonly created_at: string | null
  /** Only where texts were asked for. */
  readonly text?: string
}

export interface TreePage {
  readonly id: string
  readonly number: number
  readonly lang: string
  /** Only where texts were asked for. */
  readonly text?: string
}

/**
 * One thing of the tree. They come in the order of the JSON: a user, that user's tags, then each node with its versions,
 * each version with its pages.
 */
export type TreeItem =
  | { readonly kind: 'user'; readonly user: TreeUser }
  | { readonly kind: 'tag'; readonly tag: TreeTag }
  | { readonly kind: 'node'; readonly node: TreeNode }
  | { readonly kind: 'version'; readonly version: TreeVersion }
  | { readonly kind: 'page'; readonly page: TreePage }
