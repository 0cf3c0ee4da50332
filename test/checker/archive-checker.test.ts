import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import type { Header } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkArchiveLayout } from './archive-checker.ts'

type Entry = Partial<Header> & Pick<Header, 'name'>

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-layout-'))
})
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true })
})

const metadata = JSON.stringify({ version: '2.1.9', strongroom: { format: 1 }, users: [] })

async function problemsOf(headers: readonly Entry[], after: Buffer = Buffer.alloc(0)): Promise<string> {
  const tar = pack()
  tar.entry({ name: 'backup.json' }, metadata)
  for (const header of headers) {
    if (header.type === undefined) tar.entry(header, 'x')
    else tar.entry(header)
  }
  tar.finalize()
  const parts: Buffer[] = []
  for await (const part of tar as AsyncIterable<Buffer>) parts.push(part)
  const path = join(scratch, 'archive.tar.gz')
  await writeFile(path, Buffer.concat([gzipSync(Buffer.concat(parts)), after]))
  return (await checkArchiveLayout(path)).join('\n')
}

test.each<[string, Entry, RegExp]>([
  ['a decomposed name', { name: 'anna/u\u0308' }, /not NFC/],
  ['a control character', { name: 'anna/a\u0007' }, /control character/],
  ['a backslash', { name: 'anna/a\\b' }, /some system does not take/],
  ['a colon', { name: 'anna/a:b' }, /some system does not take/],
  ['a blank at an end', { name: 'anna/a /b' }, /blank at an end/],
  ['a name reserved on Windows', { name: 'anna/nul.txt' }, /reserved on Windows/],
  ['a long part', { name: `anna/${'é'.repeat(101)}` }, /over 200 bytes/],
  ['a part that leads up', { name: 'anna/../b' }, /relative part/],
  ['an owner', { name: 'anna/a', uid: 1000 }, /owner 1000/],
  ['a wrong mode', { name: 'anna/a', mode: 0o600 }, /mode 600/],
  ['a fifo', { name: 'anna/a', type: 'fifo' }, /type fifo/],
  ['a PAX key of its own', { name: 'anna/a', pax: { comment: 'x' } }, /the PAX key comment/],
  ['a user folder that Papermerge takes for its own', { name: 'docsmith/a' }, /into its media folder/],
  ['a link to nowhere', { name: 'anna/a', type: 'symlink', linkname: '../docs/x' }, /its target "docs\/x" is not/],
])('%s is found', async (_, header, finding) => {
  expect(await problemsOf([header])).toMatch(finding)
})

test('twins in case, and a file that is a folder too, are found', async () => {
  expect(await problemsOf([{ name: 'anna/A' }, { name: 'anna/a' }])).toMatch(/fall together/)
  expect(await problemsOf([{ name: 'anna/A' }, { name: 'anna/A/b' }])).toMatch(/lies in the file/)
})

test('members at the wrong place, missing checksums, and a missing tail are found', async () => {
  const problems = await problemsOf([{ name: 'README.txt' }])
  expect(problems).toMatch(/SHA256SUMS is not at its place/)
  expect(problems).toMatch(/no multiple of 10,240/)
  expect(problems).toMatch(/tail: no stored block/)
  expect(problems).toMatch(/index: no heading/)
})

test('a second gzip member, however empty, is found', async () => {
  expect(await problemsOf([], gzipSync(''))).toMatch(/bytes after the one gzip member/)
})
