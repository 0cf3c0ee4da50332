import type { SidecarKind } from '../domain/sidecars.ts'

const maximumBytes = 255
const longestExtension = 40

/**
 * Where the bytes of a version usually lie: `docs/user_<id>/document_<id>/v<N>/<file name>`, Papermerge's layout, with a
 * folder for the number 0 too. A name that is not one safe path component is stored under a safe one.
 */
export const versionKey = (version: { userId: string; documentId: string; number: number; fileName: string }): string =>
  `docs/user_${version.userId}/document_${version.documentId}/v${version.number}/${safeFileName(version.fileName)}`

/** Where a file derived from a page usually lies: `sidecars/…/v<N>/pages/000001/000001_ocr.svg`. */
export function sidecarKey(sidecar: {
  userId: string
  documentId: string
  number: number
  pageNumber: number
  kind: SidecarKind
}): string {
  const page = String(sidecar.pageNumber).padStart(6, '0')
  const version = `sidecars/user_${sidecar.userId}/document_${sidecar.documentId}/v${sidecar.number}`
  return `${version}/pages/${page}/${page}${sidecar.kind}`
}

/**
 * A key beside the usual one, for a second set of bytes of the same version or page: `scan~<mark>.pdf`. The mark is made of
 * letters, digits and dashes.
 */
export function siblingKey(key: string, mark: string): string {
  const slash = key.lastIndexOf('/') + 1
  const { stem, extension } = splitName(key.slice(slash))
  const tail = `~${mark}${extension}`
  return key.slice(0, slash) + cutToBytes(stem, maximumBytes - Buffer.byteLength(tail)) + tail
}

/** The name itself where it is one path component that every Linux file system takes, else one like it that is. */
export function safeFileName(name: string): string {
  const clean = name.toWellFormed().replace(/[/\p{Cc}]/gu, '_')
  if (clean.trim() === '' || clean === '.' || clean === '..') return '_'.repeat(Math.min(clean.length, 2) || 1)
  if (Buffer.byteLength(clean) <= maximumBytes) return clean
  const { stem, extension } = splitName(clean)
  return cutToBytes(stem, maximumBytes - Buffer.byteLength(extension)) + extension
}

function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 ? name.slice(dot) : ''
  if (extension === '' || Buffer.byteLength(extension) > longestExtension) return { stem: name, extension: '' }
  return { stem: name.slice(0, dot), extension }
}

/** The longest beginning of a text that is at most `limit` bytes long in UTF-8, never half a character. */
function cutToBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text
  const bytes = Buffer.from(text).subarray(0, limit + 1)
  let end = limit
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
