import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { always, serveFile, type Asked, type RangeServer } from '../../../test/support/range-server.ts'
import { allOf } from '../../../test/support/tar-pieces.ts'
import { StrongroomError } from '../../errors.ts'
import { blockBytes } from './blocks.ts'
import { openHttpFile, type HttpFile } from './http-file.ts'

const size = 20 * 1024 * 1024 + 12_345
const content = randomBytes(size)
let folder: string
let path: string
let server: RangeServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-http-'))
  path = join(folder, 'file')
  await writeFile(path, content)
})
afterAll(() => rm(folder, { recursive: true, force: true }))
beforeEach(async () => {
  server = await serveFile(path)
})
afterEach(() => server[Symbol.asyncDispose]())

const quick = { signal: new AbortController().signal, idleMs: 5000, waits: [1, 1, 1] }

async function open(url = `${server.origin}/a/file?signature=hidden`, options = quick): Promise<HttpFile> {
  const file = await openHttpFile(new URL(url), options)
  if ('body' in file) throw new Error('the server gave no parts')
  return file
}

async function part(file: HttpFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

async function readAll(file: HttpFile, piece = 1 << 20): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let position = 0; ;) {
    const bytes = await part(file, position, piece)
    if (bytes.length === 0) return Buffer.concat(parts)
    parts.push(bytes)
    position += bytes.length
  }
}

/** Cuts the connection of the answers that `which` names, after some bytes of them. */
function cut(which: (number: number) => boolean, after: number): void {
  server.hook = ({ range, headers }, response, number) => {
    if (!which(number)) return false
    const { first, last } = range!
    response.writeHead(206, { etag: headers['if-match'], ...partHeaders(first, last) })
    response.write(content.subarray(first, first + after), () => response.destroy())
    return true
  }
}

const partHeaders = (first: number, last: number) => ({
  'content-range': `bytes ${first}-${Math.min(last, size - 1)}/${size}`,
  'content-length': Math.min(last, size - 1) + 1 - first,
})

test('a file read in order is the file, in few requests that grow', async () => {
  const file = await open()
  expect(file).toMatchObject({ name: `${server.origin}/a/file`, size })
  expect((await readAll(file)).equals(content)).toBe(true)
  await file.assertUnchanged()
  await file.close()
  expect(server.requests).toBeLessThan(10)
  // The first byte is asked for again, to see whether the file is the same.
  expect(server.bytesSent).toBe(size + 1)
})

test('what is read here and there costs the blocks that are touched, once', async () => {
  const file = await open()
  server.reset()
  for (const position of [7 << 20, 3 << 20, 15 << 20, 3 << 20, 7 << 20])
    expect((await part(file, position + 100, 1000)).equals(content.subarray(position + 100, position + 1100))).toBe(
      true,
    )
  expect([server.requests, server.bytesSent]).toEqual([3, 3 * blockBytes])
  await part(file, (10 << 20) - 5, 10)
  expect([server.requests, server.bytesSent]).toEqual([4, 5 * blockBytes])
  await file.close()
})

test('any reading gives what the file has there, two at a time too', async () => {
  const file = await open()
  const reads = fc.array(fc.tuple(fc.nat(size + 100), fc.nat(300_000)), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(reads, async (list) => {
      const found = await Promise.all(list.map(([position, length]) => part(file, position, length)))
      for (const [index, [position, length]] of list.entries())
        expect(found[index]!.equals(content.subarray(position, position + length))).toBe(true)
    }),
    { numRuns: 60 },
  )
  await file.close()
})

test('every request asks for the file as it was opened, and for its bytes as they are', async () => {
  const file = await open()
  await readAll(file)
  await file.close()
  const [first, ...others] = server.asked
  expect(first?.headers).toMatchObject({ range: `bytes=0-${blockBytes - 1}`, 'accept-encoding': 'identity' })
  expect(first?.headers['if-match']).toBeUndefined()
  expect(others.every(({ headers }) => headers['if-match']?.startsWith(`"${size}`))).toBe(true)
})

test('a Content-Encoding that a server calls the file by changes no byte', async () => {
  server.hook = (_asked, response) => {
    response.setHeader('content-encoding', 'gzip')
    return false
  }
  const file = await open()
  expect((await readAll(file)).equals(content)).toBe(true)
  await file.close()
})

test.each([0, 1, blockBytes, 2 * blockBytes - 1])('a file of %i bytes', async (length) => {
  server.file = join(folder, `of-${length}`)
  await writeFile(server.file, content.subarray(0, length))
  const file = await open()
  expect(file.size).toBe(length)
  expect((await readAll(file)).equals(content.subarray(0, length))).toBe(true)
  await file.assertUnchanged()
  await file.close()
})

describe('a connection that breaks', () => {
  test('is made anew and goes on where it stopped', async () => {
    const file = await open()
    cut((number) => number % 2 === 0, 300_000)
    expect((await readAll(file)).equals(content)).toBe(true)
    await file.close()
    expect(server.asked.some(({ range }) => range !== undefined && range.first % blockBytes !== 0)).toBe(true)
  })

  test('before the first answer, too', async () => {
    server.hook = (_asked, response, number) => {
      if (number === 1) response.destroy()
      return number === 1
    }
    const file = await open()
    expect((await part(file, 5, 5)).equals(content.subarray(5, 10))).toBe(true)
    await file.close()
  })

  test('each time without a byte ends the reading after some tries', async () => {
    const file = await open()
    server.reset()
    server.hook = (_asked, response) => {
      response.destroy()
      return true
    }
    await expect(part(file, 1 << 20, 10)).rejects.toMatchObject({ code: 'archive.unreachable' })
    expect(server.requests).toBe(4)
    await file.close()
  })
})

describe('a server that is busy', () => {
  const busy = (status: number, times: number) => (_asked: Asked, response: ServerResponse, number: number) => {
    if (number > times) return false
    response.writeHead(status, { 'retry-after': '0' }).end('busy')
    return true
  }

  test.each([429, 500, 502, 503, 504])('with status %i is asked again', async (status) => {
    server.hook = busy(status, 3)
    const file = await open()
    expect(file.size).toBe(size)
    server.reset()
    expect((await part(file, 1 << 20, 10)).equals(content.subarray(1 << 20, (1 << 20) + 10))).toBe(true)
    expect(server.requests).toBe(4)
    await file.close()
  })

  test('for too long ends the reading', async () => {
    server.hook = busy(503, 4)
    await expect(open()).rejects.toMatchObject({ code: 'archive.http_status', details: { status: 503 } })
  })
})

test.each([
  [401, 'archive.url_denied'],
  [403, 'archive.url_denied'],
  [404, 'archive.url_not_found'],
  [410, 'archive.url_not_found'],
  [400, 'archive.http_status'],
])('status %i ends it at once with %s', async (status, code) => {
  server.hook = always(status, {}, 'no')
  await expect(open()).rejects.toMatchObject({ code, details: { archive: `${server.origin}/a/file`, status } })
  expect(server.requests).toBe(1)
})

describe('a file that is changed meanwhile is told', () => {
  test('by its tag', async () => {
    server.file = join(folder, 'changing')
    await writeFile(server.file, content)
    const file = await open()
    await file.assertUnchanged()
    await utimes(server.file, 1, 1)
    await expect(part(file, 1 << 20, 10)).rejects.toMatchObject({ code: 'archive.changed' })
    await expect(file.assertUnchanged()).rejects.toMatchObject({ code: 'archive.changed' })
    await file.close()
  })

  test.each([
    ['tag', { etag: '"other"' }],
    ['date', { 'last-modified': 'Tue, 24 Nov 2026 00:00:00 GMT' }],
    ['length', { 'content-range': `bytes 1048576-1114111/${size + 1}` }],
  ])('by its %s, where the server minds no condition', async (_what, headers) => {
    const same = { etag: '"a"', 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT' }
    server.hook = ({ range }, response, number) => {
      const { first, last } = range!
      response.writeHead(206, { ...partHeaders(first, last), ...same, ...(number > 1 ? headers : {}) })
      response.end(content.subarray(first, last + 1))
      return true
    }
    const file = await open()
    await expect(part(file, 1 << 20, 10)).rejects.toMatchObject({ code: 'archive.changed' })
    await file.close()
  })

  test('where it is shorter now', async () => {
    const file = await open()
    server.hook = always(416, { 'content-range': 'bytes */5' })
    await expect(part(file, 1 << 20, 10)).rejects.toMatchObject({ code: 'archive.changed' })
    await file.close()
  })

  test.each([
    [{ etag: 'W/"weak"', 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT' }, 'if-unmodified-since'],
    [{}, undefined],
  ])('as far as the server says of it: %o', async (headers, condition) => {
    server.hook = ({ range }, response) => {
      const { first, last } = range!
      response.writeHead(206, { ...partHeaders(first, last), ...headers })
      response.end(content.subarray(first, last + 1))
      return true
    }
    const file = await open()
    await file.assertUnchanged()
    expect(Object.keys(server.asked[1]!.headers).find((name) => name.startsWith('if-'))).toBe(condition)
    await file.close()
  })
})

describe('an answer that is not what was asked for', () => {
  const once = (headers: (first: number, last: number) => Record<string, string | number>, length = blockBytes) => {
    server.hook = ({ range }, response, number) => {
      if (number !== 2) return false
      const { first, last } = range!
      response.writeHead(206, { etag: server.asked[1]!.headers['if-match'], ...headers(first, last) })
      response.end(content.subarray(first, first + length))
      return true
    }
  }
  const at = 1 << 20

  test.each([
    ['another part', `bytes 0-${blockBytes - 1}/${size}`],
    ['a part that is too long', `bytes ${at}-${at + 2 * blockBytes}/${size}`],
    ['no number', `bytes ${at}-x/${size}`],
    ['no length', `bytes ${at}-${at + blockBytes - 1}/*`],
    ['an end behind the file', `bytes ${at}-${size}/${size}`],
  ])('is an error: %s', async (_what, range) => {
    const file = await open()
    once(() => ({ 'content-range': range }))
    await expect(part(file, at, 10)).rejects.toMatchObject({ code: 'archive.bad_answer' })
    await file.close()
  })

  test('is an error: more bytes than it says', async () => {
    const file = await open()
    once((first, last) => ({ 'content-range': partHeaders(first, last)['content-range'] }), blockBytes + 1)
    await expect(part(file, at, 10)).rejects.toMatchObject({ code: 'archive.bad_answer' })
    await file.close()
  })

  test('is an error: all of it', async () => {
    const file = await open()
    server.hook = (asked, response) => {
      response.writeHead(200, { etag: asked.headers['if-match'], 'content-length': size }).end(content)
      return true
    }
    await expect(part(file, at, 10)).rejects.toMatchObject({ code: 'archive.bad_answer' })
    await file.close()
  })

  test('is asked for again where it is shorter, whether it says so or not', async () => {
    for (const says of [true, false]) {
      const file = await open()
      server.reset()
      server.hook = ({ range, headers }, response, number) => {
        if (number !== 1) return false
        const { first, last } = range!
        const length = {
          etag: headers['if-match'],
          'content-range': `bytes ${first}-${says ? first + 4 : last}/${size}`,
        }
        response.writeHead(206, length).end(content.subarray(first, first + 5))
        return true
      }
      expect((await part(file, at, 100)).equals(content.subarray(at, at + 100))).toBe(true)
      expect(server.asked.map(({ range }) => range?.first)).toEqual([at, at + 5])
      await file.close()
    }
  })
})

describe('a server that says nothing', () => {
  const brief = { ...quick, idleMs: 500, waits: [1] }

  test('to the first request ends it at once', async () => {
    server.hook = () => true
    await expect(open(undefined, brief)).rejects.toMatchObject({ code: 'archive.unreachable' })
    expect(server.requests).toBe(1)
  })

  test('in the middle is asked again, and then it ends', async () => {
    const file = await open(undefined, brief)
    server.reset()
    server.hook = ({ range, headers }, response) => {
      response.writeHead(206, { etag: headers['if-match'], ...partHeaders(range!.first, range!.last) })
      response.flushHeaders()
      return true
    }
    const failure = await part(file, 1 << 20, 10).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'archive.unreachable' })
    expect((failure as StrongroomError).message).toContain('nothing came for 0.5 seconds')
    expect(server.requests).toBe(2)
    await file.close()
  })

  test('for long, but something in time, is waited for', async () => {
    const file = await open(undefined, { ...quick, idleMs: 2000 })
    server.hook = async ({ range, headers }, response) => {
      const { first, last } = range!
      response.writeHead(206, { etag: headers['if-match'], ...partHeaders(first, last) })
      for (let at = first; at <= last; at += 1000) {
        response.write(content.subarray(at, Math.min(at + 1000, last + 1)))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      response.end()
      return true
    }
    expect((await part(file, 1 << 20, 10)).equals(content.subarray(1 << 20, (1 << 20) + 10))).toBe(true)
    await file.close()
  })

  test('is waited for no longer than the command lasts', async () => {
    const ended = new AbortController()
    const file = await open(undefined, { ...quick, signal: ended.signal })
    server.hook = () => {
      ended.abort(new StrongroomError('program.interrupted', { signal: 'SIGINT' }))
      return true
    }
    await expect(part(file, 1 << 20, 10)).rejects.toMatchObject({ code: 'program.interrupted' })
    await file.close()
  })
})

test('closing ends what is being read', async () => {
  const file = await open()
  await part(file, 0, 3 << 20)
  const arrived = new Promise<void>((resolve) => {
    server.hook = () => {
      resolve()
      return true
    }
  })
  const reading = part(file, 10 << 20, 10).catch((error: unknown) => error)
  await arrived
  await file.close()
  expect(await reading).toBeInstanceOf(Error)
})

describe('redirects', () => {
  const redirect = (to: (asked: Asked) => string | undefined, status = 302) => {
    server.hook = (asked, response) => {
      const location = to(asked)
      if (location !== undefined) response.writeHead(status, { location }).end('elsewhere')
      return location !== undefined
    }
  }

  test.each([301, 302, 303, 307, 308])('with status %i are followed', async (status) => {
    redirect(({ path: asked }) => (asked === '/b' ? undefined : '/b'), status)
    const file = await open()
    expect((await readAll(file)).equals(content)).toBe(true)
    expect(file.name).toBe(`${server.origin}/a/file`)
    await file.close()
  })

  test('tell the name and the password to the first server alone', async () => {
    await using other = await serveFile(path)
    redirect(({ path: asked }) => (asked === '/a' ? '/b' : `${other.origin}/c`))
    const file = await open(`${server.origin.replace('//', '//ada:s%C3%A9cret@')}/a`)
    await part(file, 1 << 20, 10)
    await file.close()
    const expected = `Basic ${Buffer.from('ada:sécret').toString('base64')}`
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill(expected))
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test.each(['/again', 'ftp://127.0.0.1/x', 'http://[', 'file:///etc/passwd'])(
    'without an end or to %s are refused',
    async (to) => {
      redirect(() => to)
      await expect(open()).rejects.toMatchObject({ code: 'archive.bad_answer' })
    },
  )
})

describe('a server that gives no parts', () => {
  test('gives all of it as a stream', async () => {
    server.hook = always(200, {}, content)
    const file = await openHttpFile(new URL(`${server.origin}/a?b`), quick)
    if (!('body' in file)) throw new Error('it gave parts')
    expect(file.name).toBe(`${server.origin}/a`)
    expect((await allOf(file.body)).equals(content)).toBe(true)
  })

  test('and breaks off is an error', async () => {
    server.hook = (_asked, response) => {
      response.writeHead(200, { 'content-length': size }).write(content.subarray(0, 1 << 20), () => response.destroy())
      return true
    }
    const file = await openHttpFile(new URL(server.origin), quick)
    if (!('body' in file)) throw new Error('it gave parts')
    await expect(allOf(file.body)).rejects.toMatchObject({ code: 'archive.unreachable' })
  })
})

test('what speaks another language than was asked for', async () => {
  const failure = await open(server.origin.replace('http:', 'https:')).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'archive.unreachable' })
  expect((failure as StrongroomError).message).toContain('does not speak https')
  const rude = createServer((socket) => socket.end('220 hello\r\n')).listen(0, '127.0.0.1')
  await once(rude, 'listening')
  const { port } = rude.address() as AddressInfo
  await expect(open(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'archive.unreachable' })
  rude.close()
})

test('nobody at the address, or no such host', async () => {
  const { origin } = server
  await server[Symbol.asyncDispose]()
  await expect(open(origin)).rejects.toMatchObject({ code: 'archive.unreachable' })
  await expect(open('http://strongroom.invalid/x')).rejects.toMatchObject({ code: 'archive.unreachable' })
})
