import { describe, expect, test } from 'vitest'
import {
  damageName,
  indexName,
  indexPageName,
  isContentFolder,
  linkTarget,
  metadataName,
  normalizeName,
  pathInPart,
  placeOf,
  readmeName,
  sidecarPath,
  sidecarPath3,
  sumsName,
  versionPath,
  versionPath3,
} from './layout.ts'
import { sidecarKinds } from './records.ts'

const user = 'ce67fe07-e5e3-4269-8d20-d262e8fb655a'
const document = '07210119-0ca7-413c-8928-a1a1e75ecee7'

describe("paths are Papermerge's:", () => {
  test('the file of a version', () => {
    expect(versionPath(user, document, 2, 'a.pdf')).toBe(`docs/user_${user}/document_${document}/v2/a.pdf`)
    expect(versionPath(user, document, 0, 'a.pdf')).toBe(`docs/user_${user}/document_${document}/a.pdf`)
    expect(versionPath3(user, 'a.pdf')).toBe(`docvers/ce/67/${user}/a.pdf`)
  })

  test('what was derived from a page', () => {
    expect(sidecarPath(user, document, 1, 12, '_ocr.svg')).toBe(
      `sidecars/user_${user}/document_${document}/v1/pages/000012/000012_ocr.svg`,
    )
    expect(sidecarPath(user, document, 0, 1, '.jpg')).toBe(
      `sidecars/user_${user}/document_${document}/pages/000001/000001.jpg`,
    )
    expect(
      sidecarKinds.map((kind) => sidecarPath3(document, kind)?.replace(`ocr/pages/07/21/${document}/`, '')),
    ).toEqual(['page.svg', 'page.txt', 'page.hocr', 'page.jpg', undefined])
  })
})

describe('placeOf', () => {
  test('knows the files that only our archives have', () => {
    const names = [metadataName, readmeName, indexPageName, damageName, sumsName, indexName]
    expect(names.map((name) => placeOf(name).kind)).toEqual(['metadata', 'readme', 'page', 'damage', 'sums', 'index'])
  })

  test('takes for content what every path above gives, its ids in lower case', () => {
    const paths = [
      versionPath(user, document, 1, 'A File.PDF'),
      versionPath(user, document, 0, 'x'),
      versionPath3(user, 'B'),
      ...sidecarKinds.flatMap((kind) =>
        [sidecarPath(user, document, 1, 1, kind), sidecarPath3(document, kind) ?? []].flat(),
      ),
    ]
    for (const path of paths) expect(placeOf(path)).toEqual({ kind: 'content', path })
    for (const part of ['hidden', 'trash'] as const) {
      const path = pathInPart(part, versionPath(user, document, 1, 'A File.PDF'))
      expect(path.startsWith(`strongroom/${part}/docs/user_`)).toBe(true)
      expect(placeOf(path)).toEqual({ kind: 'content', path })
    }
    const upper = `docs/user_${user.toUpperCase()}/document_${document}/v1/A.PDF`
    expect(placeOf(upper)).toEqual({ kind: 'content', path: `docs/user_${user}/document_${document}/v1/A.PDF` })
  })

  test.each([
    'docs',
    'docs/a',
    'docs/user_x/document_y/v1/a',
    `docs/user_${user}`,
    `docs/user_${user}/document_${document}/`,
    `docvers/ce/67/${user}`,
    'sidecars/.home/a',
    'ocr/x',
    'strongroom/other',
    `strongroom/trash/docvers/ce/67/${user}/a`,
    `strongroom/other/docs/user_${user}/document_${document}/v1/a`,
    `strongroom/trash/strongroom/trash/docs/user_${user}/document_${document}/v1/a`,
    `docvers/c/67/${user}/a`,
  ])('%s lies among the content and is none', (name) => expect(placeOf(name).kind).toBe('stray'))

  test.each([
    'ada/.home/a',
    'docsmith/.home/a',
    'backup.json/.home',
    'index.html/a',
    '',
    `Docs/user_${user}/document_${document}/v1/a`,
    'constructor',
    '__proto__',
  ])('%j lies outside', (name) => expect(placeOf(name).kind).toBe('outside'))
})

test('isContentFolder takes the folder for its content', () => {
  expect(['docs', 'docs/a', 'sidecars/', 'strongroom/index'].map(isContentFolder)).toEqual([true, true, true, true])
  expect(['docs2', 'ada/docs', ''].map(isContentFolder)).toEqual([false, false, false])
})

test('normalizeName takes off what other programs put in front, and double slashes', () => {
  expect(normalizeName('./docs//a')).toBe('docs/a')
  expect(normalizeName('.//././backup.json')).toBe('backup.json')
  expect(normalizeName('../a')).toBe('../a')
  expect(normalizeName('.home/a')).toBe('.home/a')
  expect(normalizeName('pages///000001/x')).toBe('pages/000001/x')
})

test('linkTarget follows a link by names, and never out of the archive', () => {
  expect(linkTarget('ada/.home/a', '../../docs/x')).toBe('docs/x')
  expect(linkTarget('ada/a', './b//c')).toBe('ada/b/c')
  expect(linkTarget('a', 'b/../c')).toBe('c')
  expect(linkTarget('ada/a', '../../x')).toBeUndefined()
  expect(linkTarget('a', '/etc/passwd')).toBeUndefined()
})
