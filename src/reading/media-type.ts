import { extname } from 'node:path'

/** How many bytes of the beginning of a file `mediaTypeOf` looks at. */
export const headBytes = 1024

const unknownType = 'application/octet-stream'

/** Where a type shows itself: these bytes at this offset. */
interface Signature {
  readonly type: string
  readonly offset: number
  readonly bytes: Buffer
}

const at = (offset: number, bytes: string, type: string): Signature => ({
  type,
  offset,
  bytes: Buffer.from(bytes, 'latin1'),
})

// From the formats' own specifications; the order matters only where one is the beginning of another.
const signatures: readonly Signature[] = [
  at(0, '\xff\xd8\xff', 'image/jpeg'),
  at(0, '\x89PNG\r\n\x1a\n', 'image/png'),
  at(0, 'GIF87a', 'image/gif'),
  at(0, 'GIF89a', 'image/gif'),
  at(0, 'II*\0', 'image/tiff'),
  at(0, 'MM\0*', 'image/tiff'),
  at(0, 'II+\0', 'image/tiff'),
  at(0, 'MM\0+', 'image/tiff'),
  at(4, 'ftypheic', 'image/heic'),
  at(4, 'ftypheix', 'image/heic'),
  at(4, 'ftypmif1', 'image/heif'),
  at(4, 'ftypavif', 'image/avif'),
  at(0, '\0\0\0\x0cjP  \r\n\x87\n', 'image/jp2'),
  at(0, 'AT&TFORM', 'image/vnd.djvu'),
  at(0, '%!PS', 'application/postscript'),
  at(0, '{\\rtf', 'application/rtf'),
  at(0, '\x1f\x8b', 'application/gzip'),
  at(0, "7z\xbc\xaf'\x1c", 'application/x-7z-compressed'),
  at(0, 'Rar!\x1a\x07', 'application/vnd.rar'),
]

const zipSignature = Buffer.from('PK\x03\x04', 'latin1')
const oleSignature = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
const openXml = 'application/vnd.openxmlformats-officedocument'

/** What a zip file is, by the extension of its name. */
const zipTypes: ReadonlyMap<string, string> = new Map([
  ['.docx', `${openXml}.wordprocessingml.document`],
  ['.xlsx', `${openXml}.spreadsheetml.sheet`],
  ['.pptx', `${openXml}.presentationml.presentation`],
  ['.odt', 'application/vnd.oasis.opendocument.text'],
  ['.ods', 'application/vnd.oasis.opendocument.spreadsheet'],
  ['.odp', 'application/vnd.oasis.opendocument.presentation'],
  ['.odg', 'application/vnd.oasis.opendocument.graphics'],
  ['.epub', 'application/epub+zip'],
])

/** What a file of Microsoft's compound format is, by the extension of its name. */
const oleTypes: ReadonlyMap<string, string> = new Map([
  ['.doc', 'application/msword'],
  ['.xls', 'application/vnd.ms-excel'],
  ['.ppt', 'application/vnd.ms-powerpoint'],
  ['.msg', 'application/vnd.ms-outlook'],
])

/** Formats without a signature of their own. */
const textTypes: ReadonlyMap<string, string> = new Map([
  ['.txt', 'text/plain'],
  ['.log', 'text/plain'],
  ['.md', 'text/markdown'],
  ['.csv', 'text/csv'],
  ['.tsv', 'text/tab-separated-values'],
  ['.html', 'text/html'],
  ['.htm', 'text/html'],
  ['.xml', 'application/xml'],
  ['.json', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.eml', 'message/rfc822'],
  ['.ics', 'text/calendar'],
  ['.vcf', 'text/vcard'],
  ['.tex', 'application/x-tex'],
])

/**
 * The media type of a file by its first bytes (up to `headBytes` of them), by its name's extension where they do not tell,
 * and `application/octet-stream` where neither does.
 */
export function mediaTypeOf(head: Uint8Array, fileName: string): string {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, headBytes))
  const extension = extname(fileName).toLowerCase()
  if (isPdf(bytes)) return 'application/pdf'
  for (const { type, offset, bytes: expected } of signatures) if (startsAt(bytes, offset, expected)) return type
  if (startsAt(bytes, 0, Buffer.from('RIFF')) && startsAt(bytes, 8, Buffer.from('WEBP'))) return 'image/webp'
  if (startsAt(bytes, 0, zipSignature)) return typeInsideZip(bytes) ?? zipTypes.get(extension) ?? 'application/zip'
  if (startsAt(bytes, 0, oleSignature)) return oleTypes.get(extension) ?? 'application/x-ole-storage'
  return textTypes.get(extension) ?? unknownType
}

/** True where `%PDF-` stands within the first 1,024 bytes, as readers of PDF have it. */
export const isPdf = (head: Uint8Array): boolean =>
  Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, headBytes)).includes('%PDF-', 0, 'latin1')

const startsAt = (bytes: Buffer, offset: number, expected: Buffer): boolean =>
  bytes.length >= offset + expected.length && bytes.subarray(offset, offset + expected.length).equals(expected)

/** OpenDocument and EPUB begin with an uncompressed entry called `mimetype`, which holds the type. */
function typeInsideZip(bytes: Buffer): string | undefined {
  if (!startsAt(bytes, 30, Buffer.from('mimetype'))) return undefined
  const found = /^application\/[a-z0-9.+-]+(?=PK|$)/.exec(bytes.toString('latin1', 38, 138))
  return found?.[0]
}

const usualExtensions: ReadonlyMap<string, string> = new Map([
  ['application/pdf', '.pdf'],
  ['image/jpeg', '.jpg'],
  ['image/png', '.png'],
  ['image/gif', '.gif'],
  ['image/tiff', '.tif'],
  ['image/webp', '.webp'],
  ['image/heic', '.heic'],
  ['application/rtf', '.rtf'],
  ['text/plain', '.txt'],
])

/** The extension that files of a type usually have, with its dot; empty for a type without one. */
export const usualExtension = (mediaType: string): string => usualExtensions.get(mediaType) ?? ''
