import type { SidecarKind } from './records.ts'

/** Where things lie in an archive, in both of Papermerge's layouts and in ours, which is that of Papermerge 2.1. */

export const metadataName = 'backup.json'
export const readmeName = 'README.txt'
export const indexPageName = 'index.html'
export const damageName = 'strongroom/damage.json'
export const sumsName = 'SHA256SUMS'
export const indexName = 'strongroom/index'
export const directoryName = 'strongroom/directory'
export const directoryPagesName = 'strongroom/directory-pages'

const pageDigits = (number: number): string => String(number).padStart(6, '0')

/** The folder of a version below docs/ or sidecars/. Papermerge leaves out the number 0. */
const versionFolder = (userId: string, documentId: string, number: number): string =>
  `user_${userId}/document_${documentId}/${number === 0 ? '' : `v${number}/`}`

/** Where Papermerge 2.1 and Strongroom keep the file of a version. */
export const versionPath = (userId: string, documentId: string, number: number, fileName: string): string =>
  `docs/${versionFolder(userId, documentId, number)}${fileName}`

/** Where Papermerge 2.1 and Strongroom keep what was derived from a page. */
export const sidecarPath = (
  userId: string,
  documentId: string,
  number: number,
  page: number,
  kind: SidecarKind,
): string => `sidecars/${versionFolder(userId, documentId, number)}pages/${pageDigits(page)}/${pageDigits(page)}${kind}`

/**
 * Which part of an archive a document is in. Papermerge knows only what is `shown`; what is `hidden` from it would break its
 * later backups, and what is in the `trash` would come back alive.
 */
export type Part = 'shown' | 'hidden' | 'trash'

const partFolders: Readonly<Record<Part, string>> = {
  shown: '',
  hidden: 'strongroom/hidden/',
  trash: 'strongroom/trash/',
}

/** Where the file of a document in that part lies, by the place that it has where all are shown. */
export const pathInPart = (part: Part, path: string): string => partFolders[part] + path

const fanOut = (id: string): string => `${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`

/** Where Papermerge 3.0-3.2 keeps the file of a version. */
export const versionPath3 = (versionId: string, fileName: string): string => `docvers/${fanOut(versionId)}/${fileName}`

const pageFile3: Readonly<Partial<Record<SidecarKind, string>>> = {
  '_ocr_hocr.txt': 'page.txt',
  '_ocr.svg': 'page.svg',
  '_ocr_hocr.hocr': 'page.hocr',
  '.jpg': 'page.jpg',
}

/** Where Papermerge 3.0-3.2 keeps what was derived from a page; undefined for what it has not. */
export function sidecarPath3(pageId: string, kind: SidecarKind): string | undefined {
  const file = pageFile3[kind]
  return file === undefined ? undefined : `ocr/pages/${fanOut(pageId)}/${file}`
}

const uuid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
const contentPattern = new RegExp(
  `^(?:(?:strongroom/(?:hidden|trash)/)?(?:docs|sidecars)/user_${uuid}/document_${uuid}|docvers/[0-9a-fA-F]{2}/[0-9a-fA-F]{2}/${uuid}|ocr/pages/[0-9a-fA-F]{2}/[0-9a-fA-F]{2}/${uuid})/`,
)

/** The folders whose members are content; whatever lies elsewhere is there for people and never read. */
const contentFolders = new Set(['docs', 'sidecars', 'docvers', 'ocr', 'strongroom'])

export type Place =
  /** The metadata, or one of the files that only our archives have. */
  | { readonly kind: 'metadata' | 'readme' | 'page' | 'damage' | 'directory' | 'sums' | 'index' }
  /** Where the file of a version or of a page may lie. `path` is how staging knows it: ids in lower case. */
  | { readonly kind: 'content'; readonly path: string }
  /** Below a folder of content, at a place where no content lies. */
  | { readonly kind: 'stray' }
  /** Anywhere else. */
  | { readonly kind: 'outside' }

const ownFiles: Readonly<Record<string, Place>> = {
  [metadataName]: { kind: 'metadata' },
  [readmeName]: { kind: 'readme' },
  [indexPageName]: { kind: 'page' },
  [damageName]: { kind: 'damage' },
  [directoryName]: { kind: 'directory' },
  [directoryPagesName]: { kind: 'directory' },
  [sumsName]: { kind: 'sums' },
  [indexName]: { kind: 'index' },
}

/** The name of a member as it is looked up: without the `./` of re-packed archives, slashes single. */
export const normalizeName = (name: string): string => name.replace(/^(?:\.\/+)+/, '').replace(/\/{2,}/g, '/')

/** What may lie at a place, by its normalized name. */
export function placeOf(name: string): Place {
  if (Object.hasOwn(ownFiles, name)) return ownFiles[name]!
  const start = contentPattern.exec(name)?.[0]
  if (start !== undefined && name.length > start.length) {
    return { kind: 'content', path: start.toLowerCase() + name.slice(start.length) }
  }
  return { kind: isContentFolder(name) ? 'stray' : 'outside' }
}

/** True for what lies in a folder of content, or is one. */
export const isContentFolder = (name: string): boolean => contentFolders.has(name.split('/', 1)[0]!)

/** Where a symbolic link leads within the archive, by names alone; undefined where it leads outside. */
export function linkTarget(name: string, target: string): string | undefined {
  if (target.startsWith('/')) return undefined
  const parts = name.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join('/')
}
