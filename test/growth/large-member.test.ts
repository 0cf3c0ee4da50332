import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeArchive, madeDocumentId, noiseOf } from '../support/made-archive.ts'
import { allOf } from '../support/tar-pieces.ts'
import { runCounted } from './counted-command.ts'

/** More than the octal size of a tar header holds, and twice what the length in gzip's trailer counts. */
const largeBytes = 8 * 2 ** 30 + 1000
const minutes = 60_000

let folder: string
let archive: string
/** The same as GNU tar packs it, with the size in a pax header; sparse on disk. */
let plain: string

const shell = (script: string) =>
  promisify(execFile)('bash', ['-o', 'pipefail', '-c', script], { cwd: folder, maxBuffer: 1 << 26 })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-large-'))
  archive = join(folder, 'archive.tar.gz')
  plain = join(folder, 'plain.tar')
  const large = { bytes: largeBytes, of: 'zeros' } as const
  await makeArchive(archive, folder, { documents: 3, documentBytes: 10_000, pages: 1, large })
}, 10 * minutes)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('an archive with a member over 8 GiB', () => {
  test(
    'gzip and tar read it, and ours reads what they make of it',
    async () => {
      const { stdout } = await shell(`gzip -dc archive.tar.gz | tar xvvf - --exclude='*/Large.pdf'`)
      expect(stdout.split('\n').filter((line) => /^-.* docs\//.test(line))).toHaveLength(3)
      const { stdout: sums } = await shell('sha256sum --ignore-missing -c SHA256SUMS')
      expect(sums.match(/: OK$/gm)).toHaveLength(4)
      const name = /^[0-9a-f]{64} {2}(.*\/Large\.pdf)$/m.exec(await readFile(join(folder, 'SHA256SUMS'), 'utf8'))![1]!
      await shell(`mkdir -p '${name.slice(0, -'/Large.pdf'.length)}' && touch '${name}'`)
      await truncate(join(folder, name), largeBytes)
      await shell(
        `{ cut -c67- SHA256SUMS; echo SHA256SUMS; echo strongroom/index; } | tar c --format=pax -T - |
         dd of=plain.tar bs=1M iflag=fullblock conv=sparse status=none`,
      )
      const { size, blocks } = await stat(plain)
      expect(size).toBeGreaterThan(largeBytes)
      expect(blocks * 512).toBeLessThan(100_000_000)
      const { peakMegabytes } = await runCounted(['verify', plain])
      expect(peakMegabytes).toBeLessThan(200)
    },
    10 * minutes,
  )

  test(
    'it is proved, and a document behind the large one comes out of it',
    async () => {
      const { peakMegabytes } = await runCounted(['verify', archive])
      expect(peakMegabytes).toBeLessThan(200)
      const out = join(folder, 'out')
      await runCounted(['extract', archive, '--document', madeDocumentId(2), '--to', out])
      const { stdout: path } = await shell(`find out -type f`)
      expect(await readFile(join(folder, path.trim()))).toEqual(await allOf(noiseOf(2, 10_000)))
    },
    10 * minutes,
  )
})
