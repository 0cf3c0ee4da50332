import { expect, test } from 'vitest'
import { mediaTypeOf } from './media-type.ts'

const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1')

test.each([
  ['%PDF-1.4', 'x', 'application/pdf'],
  ['junk before\n%PDF-1.4', 'x.txt', 'application/pdf'],
  ['\xff\xd8\xff\xe0', 'photo', 'image/jpeg'],
  ['\x89PNG\r\n\x1a\n', 'a.jpg', 'image/png'],
  ['II*\0\x08', 'scan', 'image/tiff'],
  ['MM\0*\0', 'scan', 'image/tiff'],
  ['GIF89a', 'x', 'image/gif'],
  ['RIFF\0\0\0\0WEBPVP8 ', 'x', 'image/webp'],
  ['RIFF\0\0\0\0WAVE', 'x', 'application/octet-stream'],
  ['PK\x03\x04', 'letter.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['PK\x03\x04', 'LETTER.DOCX', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['PK\x03\x04', 'x.zip', 'application/zip'],
  [
    `PK\x03\x04${'\0'.repeat(26)}mimetypeapplication/vnd.oasis.opendocument.textPK`,
    'no extension',
    'application/vnd.oasis.opendocument.text',
  ],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'old.doc', 'application/msword'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'old', 'application/x-ole-storage'],
  ['hello', 'hello.txt', 'text/plain'],
  ['hello', 'letter.pdf', 'application/octet-stream'],
  ['', '', 'application/octet-stream'],
])('%j called %j is %s', (head, name, type) => {
  expect(mediaTypeOf(latin(head), name)).toBe(type)
})
