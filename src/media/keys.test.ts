import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeFileName, siblingKey, sidecarKey, versionKey } from './keys.ts'

const version = { userId: 'u', documentId: 'd', number: 3, fileName: 'scan.pdf' }

test('keys lie where Papermerge keeps the same files', () => {
  expect(versionKey(version)).toBe('docs/user_u/document_d/v3/scan.pdf')
  expect(versionKey({ ...version, number: 0 })).toBe('docs/user_u/document_d/v0/scan.pdf')
  const page = { userId: 'u', documentId: 'd', number: 3, pageNumber: 12 }
  expect(sidecarKey({ ...page, kind: '_ocr.svg' })).toBe('sidecars/user_u/document_d/v3/pages/000012/000012_ocr.svg')
  expect(sidecarKey({ ...page, kind: '.jpg' })).toBe('sidecars/user_u/document_d/v3/pages/000012/000012.jpg')
})

test.each([
  ['..', '__'],
  ['.', '_'],
  ['', '_'],
  ['   ', '__'],
  ['a/b.pdf', 'a_b.pdf'],
  ['../../etc/passwd', '.._.._etc_passwd'],
  ['line\nbreak.pdf', 'line_break.pdf'],
  [' padded .pdf ', ' padded .pdf '],
  ['Rechnung №5 « é ».pdf', 'Rechnung №5 « é ».pdf'],
  ['\ud800.pdf', '\ufffd.pdf'],
])('the safe name of %j is %j', (name, safe) => {
  expect(safeFileName(name)).toBe(safe)
})

test('a long name is cut between characters and keeps its extension', () => {
  const safe = safeFileName(`${'文'.repeat(200)}.pdf`)
  expect(safe).toBe(`${'文'.repeat(83)}.pdf`)
  expect(safeFileName(`a.${'b'.repeat(400)}`)).toHaveLength(255)
})

test('every name becomes one path component of at most 255 bytes, and a safe one stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
      const safe = safeFileName(name)
      expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255)
      expect(safe).not.toMatch(/[/\p{Cc}]/u)
      expect(['', '.', '..']).not.toContain(safe)
      expect(safe.trim()).not.toBe('')
      expect(safeFileName(safe)).toBe(safe)
    }),
  )
})

test('a sibling lies beside the usual key, within the limits of a file name', () => {
  expect(siblingKey(versionKey(version), 'ab12')).toBe('docs/user_u/document_d/v3/scan~ab12.pdf')
  const long = versionKey({ ...version, fileName: `${'é'.repeat(125)}.pdf` })
  expect(Buffer.byteLength(siblingKey(long, 'ab12').split('/').at(-1)!)).toBeLessThanOrEqual(255)
})
