import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandInstance } from './command-instances.ts'

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-fixture-'))
  try {
    const inside = join(folder, 'Papers')
    await mkdir(inside)
    await work(inside)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Bytes that do not compress and are the same each time. */
export function noise(bytes: number, seed: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let state = seed * 2654435761 + 1
  for (let index = 0; index < bytes; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    buffer[index] = state >>> 24
  }
  return buffer
}

/** Noise in which bytes without one of the bits are more frequent: the more so, the less `every` is. JPEG is like that. */
export function skewed(bytes: number, seed: number, every: number): Buffer {
  const chance = noise(bytes, seed + 1)
  return Buffer.from(noise(bytes, seed).map((byte, index) => (chance[index]! % every === 0 ? byte & 0xbf : byte)))
}

const addUser = async (instance: CommandInstance, name: string): Promise<unknown> =>
  instance.report(['user', 'add', name], { stdin: `the password of ${name}\n` })

/** A plain instance: one user with so many documents of so many bytes in folders of ten. */
export async function fillPlain(instance: CommandInstance, documents: number, bytes: number): Promise<void> {
  await addUser(instance, 'ada')
  await withFolder(async (folder) => {
    for (let index = 0; index < documents; index += 1) {
      const inside = join(folder, `folder ${Math.floor(index / 10)}`)
      await mkdir(inside, { recursive: true })
      await writeFile(join(inside, `document ${index}.bin`), noise(bytes, index))
    }
    await instance.report(['import', folder, '--user', 'ada'])
  })
}

/** Names that some file system, some reader of archives, or Papermerge does not take as they are. */
export const awkwardNames: readonly string[] = [
  'new\nline.pdf',
  'tab\tand bell\u0007.pdf',
  ' blanks at the ends ',
  '\u001cseparators\u001f',
  '\ufeffbyte order mark',
  '.home',
  '.inbox',
  'CON',
  'nul.txt',
  'COM¹.pdf',
  'a:b*c?d"e<f>g|h.pdf',
  'back\\slash.pdf',
  'R&D;.pdf',
  '-rf $HOME `x`.pdf',
  'trailing dot.',
  'Café.pdf',
  'Cafe\u0301.pdf',
  'README.PDF',
  'Readme.pdf',
  'straße.pdf',
  'STRASSE.pdf',
  'ﬁ ligature.pdf',
  'İstanbul.pdf',
  '\u202egpj.exe',
  'zero\u200bwidth.pdf',
  '📁 Акты 文書 עברית.pdf',
  `${'長'.repeat(80)}.pdf`,
  `${'x'.repeat(250)}.pdf`,
  `${'x'.repeat(249)}y.pdf`,
]

/** Three users whose names and documents are as awkward as they can be, tags, versions, and a path of many kilobytes. */
export async function fillAwkward(instance: CommandInstance): Promise<void> {
  const users = ['docsmith', 'anna müller', 'STRONGROOM']
  for (const user of users) await addUser(instance, user)
  await withFolder(async (folder) => {
    for (const [index, name] of awkwardNames.entries()) await writeFile(join(folder, name), `content of ${index}`)
    const nested = join(folder, 'R&D', 'CON', '. .')
    await mkdir(nested, { recursive: true })
    await writeFile(join(nested, 'deep.pdf'), '%PDF-1.4 not really')
    await instance.report(['import', folder, '--user', 'docsmith', '--into', '.home'])
    const plain = join(folder, 'plain.txt')
    for (const [user, into] of [
      ['anna müller', '.home'],
      ['STRONGROOM', '.inbox'],
    ] as const) {
      for (const content of ['one', 'two', '']) {
        await writeFile(plain, content)
        await instance.report(['import', plain, '--user', user, '--into', into])
      }
    }
    const deep = Array.from({ length: 60 }, (_, index) => `${index} ${'層'.repeat(150)}`).join('/')
    await instance.report(['mkdir', `.home/${deep}`, '--user', 'anna müller', '--parents'])
    await instance.report(['import', plain, '--user', 'anna müller', '--into', `.home/${deep}`])
  })
  await instance.report(['mv', '.home/plain.txt', '.home/and\\/or.txt', '--user', 'anna müller'])
  const tag = ['tag', 'add', '.home/and\\/or.txt', '<R&D>: "x"', '--user', 'anna müller']
  await instance.report([...tag, '--bg-color', 'rgba(1, 2, 3, 0.5)', '--description', 'ü'.repeat(1100), '--pinned'])
  await instance.report(['tag', 'add', '.home', 'on the home', '--user', 'anna müller'])
}
