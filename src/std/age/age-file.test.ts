import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter, Encrypter, generateX25519Identity } from 'age-encryption'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectingSink } from '../../../test/support/collecting-sink.ts'
import { hasProgram, needs } from '../../../test/support/needs.ts'
import { openAge } from './age-file.ts'
import { createAgeWriter } from './age-writer.ts'
import { recipientsOf, type AgeAudience, type AgeKeys } from './keys.ts'
import { chunkBytes, nonceBytes, tagBytes } from './payload.ts'

const isAgeThere = needs('age', hasProgram('age'), 'encryption both ways with the age program')
const sealedBytes = chunkBytes + tagBytes

let folder: string
let identity: string
let recipient: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-age-'))
  identity = await generateX25519Identity()
  recipient = (await recipientsOf([identity]))[0]!
  await writeFile(join(folder, 'key'), `# a comment\n${identity}\n`)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function encrypt(plain: Uint8Array, pieces: readonly number[] = [], audience?: AgeAudience): Promise<Buffer> {
  const { sink, bytes } = collectingSink()
  const writer = await createAgeWriter(sink, audience ?? { recipients: [recipient] })
  let done = 0
  for (const piece of pieces) {
    await writer.write([plain.subarray(done, done + piece)])
    done += piece
  }
  await writer.write([plain.subarray(done)])
  await writer.finish()
  return bytes()
}

const fileOf = (bytes: Uint8Array) => ({
  async read(buffer: Uint8Array, offset: number, length: number, position: number) {
    const part = bytes.subarray(position, position + length)
    buffer.set(part, offset)
    return { bytesRead: part.length }
  },
})

const open = (bytes: Uint8Array, keys: Partial<AgeKeys> | undefined = { identities: [identity] }) =>
  openAge(fileOf(bytes), bytes.length, 'x.age', async () => keys && { identities: [], passphrases: [], ...keys })

/** Reads as gunzip does: from a place, in pieces, until nothing comes. */
async function readAll(bytes: Uint8Array, from = 0, piece = 1 << 20): Promise<Buffer> {
  const file = await open(bytes)
  const parts: Buffer[] = []
  for (let position = from; ;) {
    const buffer = Buffer.alloc(piece)
    const { bytesRead } = await file.read(buffer, 0, piece, position)
    if (bytesRead === 0) return Buffer.concat(parts)
    parts.push(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
}

const headerOf = (bytes: Buffer): number => bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 1

/** Sizes around the borders of chunks. */
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.tuple(fc.integer({ min: 1, max: 17 }), fc.integer({ min: -2, max: 2 })).map(([n, more]) => n * chunkBytes + more),
)

describe('an age file', () => {
  test('gives back what was written, at every place, whatever the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(1_200_000), fc.nat(1_200_000)), { maxLength: 4 }),
        async (size, pieces, reads) => {
          const plain = randomBytes(size)
          const sealed = await encrypt(plain, pieces)
          const file = await open(sealed)
          expect(file.size).toBe(size)
          expect((await readAll(sealed, 10)).equals(plain.subarray(10))).toBe(true)
          for (const [position, length] of reads) {
            const buffer = Buffer.alloc(length + 3)
            const { bytesRead } = await file.read(buffer, 3, length, position)
            expect(buffer.subarray(3, 3 + bytesRead).equals(plain.subarray(position, position + length))).toBe(true)
          }
        },
      ),
      { numRuns: 40 },
    )
  }, 30_000)

  test.runIf(isAgeThere)('is opened by the age program, and those of the age program are opened', async () => {
    for (const size of [0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes, 20 * chunkBytes + 5]) {
      const plain = randomBytes(size)
      await writeFile(join(folder, 'ours.age'), await encrypt(plain))
      const opened = spawnSync('age', ['-d', '-i', join(folder, 'key'), join(folder, 'ours.age')], {
        maxBuffer: 1 << 26,
      })
      expect(opened.status, opened.stderr.toString()).toBe(0)
      expect(opened.stdout.equals(plain)).toBe(true)
      const theirs = spawnSync('age', ['-r', recipient], { input: plain, maxBuffer: 1 << 26 }).stdout
      expect((await readAll(theirs)).equals(plain)).toBe(true)
    }
  })

  test('is opened by each of its recipients', async () => {
    const other = await generateX25519Identity()
    const recipients = [recipient, ...(await recipientsOf([other]))]
    const sealed = await encrypt(Buffer.from('for two'), [], { recipients })
    for (const one of [identity, other]) expect((await open(sealed, { identities: [one] })).size).toBe(7)
  })

  test('with a passphrase is opened by that alone', async () => {
    const sealed = await encrypt(Buffer.from('secret'), [], { passphrase: 'correct horse' })
    expect((await open(sealed, { passphrases: ['wrong', 'correct horse'] })).size).toBe(6)
    await expect(open(sealed, { passphrases: ['wrong'] })).rejects.toMatchObject({ code: 'archive.wrong_key' })
    await expect(open(sealed, { identities: [identity] })).rejects.toMatchObject({ code: 'archive.wrong_key' })
  }, 30_000)

  test('with a passphrase is the same to the library, whose scrypt is another', async () => {
    const plain = randomBytes(chunkBytes + 1)
    const decrypter = new Decrypter()
    decrypter.addPassphrase('correct horse')
    const sealed = await encrypt(plain, [], { passphrase: 'correct horse' })
    expect(Buffer.from(await decrypter.decrypt(sealed)).equals(plain)).toBe(true)
    const encrypter = new Encrypter()
    encrypter.setPassphrase('größer ☃')
    encrypter.setScryptWorkFactor(10)
    const theirs = await encrypter.encrypt(plain)
    expect((await open(theirs, { passphrases: ['größer ☃'] })).size).toBe(plain.length)
  }, 30_000)

  test('asks for a key, and tells a wrong one from none', async () => {
    const sealed = await encrypt(Buffer.from('secret'))
    const other = await generateX25519Identity()
    await expect(open(sealed, { identities: [other] })).rejects.toMatchObject({ code: 'archive.wrong_key' })
    await expect(open(sealed, { passphrases: ['x'] })).rejects.toMatchObject({ code: 'archive.wrong_key' })
    const none = openAge(fileOf(sealed), sealed.length, 'x.age', async () => undefined)
    await expect(none).rejects.toMatchObject({ code: 'archive.key_missing', kind: 'denied' })
    await expect(openAge(fileOf(sealed), sealed.length, 'x.age', undefined)).rejects.toMatchObject({
      code: 'archive.key_missing',
    })
  })

  test('opens with the file key of its writer, and not where the header is another', async () => {
    const { sink, bytes } = collectingSink()
    const writer = await createAgeWriter(sink, { recipients: [recipient] })
    await writer.finish()
    const sealed = bytes()
    expect((await open(sealed, { fileKey: writer.fileKey })).size).toBe(0)
    // A letter of the stanza: its recipient could not open it any more.
    const at = sealed.indexOf('X25519 ') + 10
    sealed[at] = sealed[at] === 0x41 ? 0x42 : 0x41
    await expect(open(sealed, { fileKey: writer.fileKey })).rejects.toMatchObject({ code: 'archive.damaged' })
  })

  test('asking for more than 1 GiB for its passphrase is refused before it is tried', async () => {
    const header = `age-encryption.org/v1\n-> scrypt ${'A'.repeat(22)} 30\n${'A'.repeat(43)}\n--- ${'A'.repeat(43)}\n`
    const file = Buffer.concat([Buffer.from(header), randomBytes(32)])
    await expect(open(file, { passphrases: ['x'] })).rejects.toMatchObject({ code: 'archive.damaged' })
  })
})

describe('damage', () => {
  const plain = randomBytes(3 * chunkBytes + 1000)
  let sealed: Buffer
  let start: number

  beforeAll(async () => {
    sealed = await encrypt(plain)
    start = headerOf(sealed) + nonceBytes
  })

  test('of any byte is found, and never taken for a missing key', async () => {
    const places = [
      ['version', 3, ['archive.damaged', 'archive.truncated']],
      ['mac', headerOf(sealed) - 5, ['archive.damaged']],
      ['nonce', start - 1, ['archive.damaged']],
      ['first chunk', start + 5, ['archive.damaged']],
      ['a tag', start + sealedBytes - 1, ['archive.damaged']],
      ['last chunk', sealed.length - 100, ['archive.damaged']],
      ['last byte', sealed.length - 1, ['archive.damaged']],
    ] as const
    for (const [what, at, codes] of places) {
      const broken = Buffer.from(sealed)
      broken[at] = broken[at]! ^ 1
      const error = await readAll(broken).then(
        () => undefined,
        (thrown: { code: string }) => thrown.code,
      )
      expect(codes, what).toContain(error)
    }
  })

  test('of the wrapped key cannot be told from a wrong key, and says so', async () => {
    const broken = Buffer.from(sealed)
    const at = sealed.indexOf('\n', sealed.indexOf('X25519')) + 5
    broken[at] = broken[at] === 0x41 ? 0x42 : 0x41
    await expect(readAll(broken)).rejects.toMatchObject({
      code: 'archive.wrong_key',
      hint: expect.stringContaining('damaged') as string,
    })
  })

  test('before it, everything comes', async () => {
    const broken = Buffer.from(sealed)
    broken[start + 2 * sealedBytes + 7]! ^= 1
    const file = await open(broken)
    const buffer = Buffer.alloc(1 << 20)
    expect(await file.read(buffer, 0, buffer.length, 0)).toEqual({ bytesRead: 2 * chunkBytes })
    expect(buffer.subarray(0, 2 * chunkBytes).equals(plain.subarray(0, 2 * chunkBytes))).toBe(true)
    await expect(file.read(buffer, 0, buffer.length, 2 * chunkBytes)).rejects.toMatchObject({ code: 'archive.damaged' })
  })

  test('by a cut is found wherever it was cut', async () => {
    for (let chunk = 0; chunk <= 3; chunk += 1) {
      const border = start + chunk * sealedBytes
      for (const length of [border - 1, border, border + 1, border + tagBytes, border + tagBytes + 1]) {
        const error = await readAll(sealed.subarray(0, length)).then(
          () => undefined,
          (thrown: { code: string }) => thrown.code,
        )
        expect(['archive.truncated', 'archive.damaged'], `cut at ${length}`).toContain(error)
      }
      await expect(readAll(sealed.subarray(0, border))).rejects.toMatchObject({ code: 'archive.truncated' })
    }
    for (const length of [30, 60, headerOf(sealed) - 1])
      await expect(readAll(sealed.subarray(0, length))).rejects.toMatchObject({ code: 'archive.truncated' })
  })

  test('by bytes behind the end is found', async () => {
    const whole = await encrypt(plain.subarray(0, 2 * chunkBytes))
    for (const file of [sealed, whole]) {
      for (const more of [1, tagBytes, tagBytes + 1, sealedBytes, 2 * sealedBytes])
        await expect(readAll(Buffer.concat([file, Buffer.alloc(more)])), `${more}`).rejects.toMatchObject({
          kind: 'corrupt',
        })
      await expect(readAll(Buffer.concat([file, file]))).rejects.toMatchObject({ kind: 'corrupt' })
    }
  })

  test('by chunks out of order, twice, or left out is found', async () => {
    const chunk = (n: number): Buffer => sealed.subarray(start + n * sealedBytes, start + (n + 1) * sealedBytes)
    for (const order of [
      [1, 0, 2, 3],
      [0, 0, 1, 2, 3],
      [0, 2, 3],
      [0, 1, 2, 2],
      [0, 1, 3, 2],
    ]) {
      const file = Buffer.concat([sealed.subarray(0, start), ...order.map(chunk)])
      await expect(readAll(file), order.join()).rejects.toMatchObject({ kind: 'corrupt' })
    }
  })

  test('by an empty chunk at the end, which only an empty file has, is found', async () => {
    const file = Buffer.concat([sealed.subarray(0, start + sealedBytes), Buffer.alloc(tagBytes)])
    await expect(readAll(file)).rejects.toMatchObject({ kind: 'corrupt' })
  })
})
