import { describe, expect, test } from 'vitest'
import { fileOnDisk, folderOnDisk, nameOnDisk, versionOnDisk } from './names-on-disk.ts'

const version = (file_name: string | null, media_type = '', number = 1) => ({ file_name, media_type, number })

test.each([
  ['plain', 'plain'],
  ['and/or', 'and／or'],
  ['CON', '_CON'],
  ['nul.txt', '_nul.txt'],
  ['ends with a dot.', 'ends with a dot．'],
  ['dots...', 'dots．．．'],
  ['..', '．．'],
  [' padded ', 'padded'],
  ['', '_'],
  ['line\nbreak', 'line␊break'],
  ['e\u0301', 'é'],
])('the title %j becomes the name %j', (title, name) => {
  expect(nameOnDisk(title)).toBe(name)
})

test('a long name keeps its end, and a name stays as it is the second time', () => {
  const name = nameOnDisk(`${'長'.repeat(100)}.pdf`)
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200)
  expect(name).toMatch(/….pdf$/)
  expect(nameOnDisk(name)).toBe(name)
})

test('the home and the inbox can be seen', () => {
  expect([folderOnDisk('.home', true), folderOnDisk('.inbox', true)]).toEqual(['home', 'inbox'])
  expect([folderOnDisk('.home', false), folderOnDisk('.git', true)]).toEqual(['.home', '.git'])
})

describe('an extension', () => {
  test.each([
    ['lease', version('scan.pdf'), 'lease.pdf'],
    ['lease.pdf', version('scan.pdf'), 'lease.pdf'],
    ['lease.PDF', version('scan.pdf'), 'lease.PDF'],
    ['photo.jpeg', version('photo.jpg'), 'photo.jpeg'],
    ['Invoice 2023.04', version('invoice.pdf'), 'Invoice 2023.04.pdf'],
    ['Dr. Who', version('x.odt'), 'Dr. Who.odt'],
    ['ends with a dot.', version('x.pdf'), 'ends with a dot．.pdf'],
    ['lease', version('scan', 'application/pdf'), 'lease.pdf'],
    ['lease', version('scan', 'application/x-unknown'), 'lease'],
    ['lease', version('.hidden'), 'lease'],
    ['x', version('a.b/c'), 'x'],
  ])('of %j with the file %j gives %j', (title, file, name) => {
    expect(fileOnDisk(title, file)).toBe(name)
  })

  test('of an earlier version is its own', () => {
    expect(versionOnDisk('lease.pdf', version('draft.docx', '', 2))).toBe('lease (version 2).docx')
    expect(versionOnDisk('lease.pdf', version('draft', '', 2))).toBe('lease (version 2).pdf')
  })
})
