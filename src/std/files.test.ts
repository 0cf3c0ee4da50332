import { mkdtempSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { StrongroomError } from '../errors.ts'
import { makeFolders, onFile, replaceFile, syncFolder, systemCode, toFileError } from './files.ts'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-files-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const refused = (code: string): Error => Object.assign(new Error(`${code}: refused`), { code })

describe('what the system refuses becomes an error about the file', () => {
  test.each([
    ['ENOENT', 'file.not_found'],
    ['ENOTDIR', 'file.not_found'],
    ['EEXIST', 'file.exists'],
    ['ENOSPC', 'file.no_space'],
    ['EDQUOT', 'file.no_space'],
    ['EFBIG', 'file.no_space'],
    ['EACCES', 'file.denied'],
    ['EPERM', 'file.denied'],
    ['EROFS', 'file.denied'],
    ['ELOOP', 'file.not_regular'],
    ['EISDIR', 'file.not_regular'],
    ['EIO', 'file.io'],
    ['EMFILE', 'file.io'],
  ])('%s is %s', (code, expected) => {
    const cause = refused(code)
    expect(toFileError(cause, '/a/b', 'read')).toMatchObject({
      code: expected,
      details: { path: '/a/b', action: 'read' },
      cause,
    })
  })

  test('as real files do it', async () => {
    await writeFile(join(folder, 'file'), 'a')
    await mkdir(join(folder, 'folder'))
    const tried: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['file.not_found', () => readFile(join(folder, 'absent'))],
      ['file.not_found', () => readFile(join(folder, 'file', 'below'))],
      ['file.exists', () => open(join(folder, 'file'), 'wx')],
      ['file.not_regular', () => readFile(join(folder, 'folder'))],
    ]
    for (const [code, work] of tried) await expect(onFile(folder, 'read', work)).rejects.toMatchObject({ code })
  })
})

test('an error that is one already, or none of the system, is passed on', () => {
  const own = new StrongroomError('user.exists', { username: 'ada' })
  const other = new TypeError('not the system')
  expect(toFileError(own, 'a', 'read')).toBe(own)
  expect(toFileError(other, 'a', 'read')).toBe(other)
  expect(toFileError('text', 'a', 'read')).toBe('text')
  expect(systemCode(refused('EIO'))).toBe('EIO')
  expect(systemCode(other)).toBeUndefined()
  expect(systemCode({ code: 'EIO' })).toBeUndefined()
})

test('onFile gives what the work gives', async () => {
  expect(await onFile('a', 'read', async () => 7)).toBe(7)
})

test('a folder can be synced, and one that is not there is told', async () => {
  await syncFolder(folder)
  await expect(onFile(folder, 'written', () => syncFolder(join(folder, 'absent')))).rejects.toMatchObject({
    code: 'file.not_found',
  })
})

test('folders are made down to the last, those of their owner alone where that is asked for', async () => {
  const path = join(folder, 'made', 'one', 'two')
  await makeFolders(path, 0o700)
  for (const each of ['made', 'made/one', 'made/one/two']) {
    expect((await stat(join(folder, each))).mode & 0o777).toBe(0o700)
  }
  await makeFolders(path, 0o700)
  await writeFile(join(folder, 'no folder'), '')
  await expect(makeFolders(join(folder, 'no folder', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('a file is replaced as a whole, for its owner alone, and nothing is left beside it', async () => {
  const inside = join(folder, 'replaced')
  await mkdir(inside)
  const path = join(inside, 'state.json')
  await replaceFile(path, 'first')
  await replaceFile(path, 'the second')
  expect(await readFile(path, 'utf8')).toBe('the second')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await mkdir(join(inside, 'taken'))
  await expect(replaceFile(join(inside, 'taken'), 'x')).rejects.toMatchObject({ code: 'file.not_regular' })
  expect((await readdir(inside)).toSorted()).toEqual(['state.json', 'taken'])
})
