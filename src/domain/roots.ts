/** The titles of the two top-level folders that every user has. */
export const homeTitle = '.home'
export const inboxTitle = '.inbox'

export const rootTitles = [homeTitle, inboxTitle] as const

/** True for the title of a home or an inbox, wherever it stands. */
export const isRootTitle = (title: string): boolean => title === homeTitle || title === inboxTitle

/** True for a node that is a user's home or inbox: it can be neither moved nor removed. */
export const isRoot = (node: {
  parent_id: string | null
  type: 'folder' | 'document'
  title: string
  deleted_at: string | null
}): boolean => node.parent_id === null && node.deleted_at === null && node.type === 'folder' && isRootTitle(node.title)
