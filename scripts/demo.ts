/**
 * Shows Strongroom at work, in the folder ./demo, which is made anew each time: fills an instance, backs it up, verifies the
 * archive, restores it into a second, empty instance, and compares the two.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createApp } from '../src/app.ts'
import type { App, Instance } from '../src/app.ts'
import { columns } from '../src/cli/columns.ts'
import { bytesText, counted, secondsText } from '../src/cli/units.ts'
import { readConfig } from '../src/config.ts'
import { makePdf, sampleDocuments, sampleTags, sampleUsers } from './demo/sample-documents.ts'

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'demo'))
const ours = join(folder, 'made-by-npm-run-demo.txt')
const steps: string[][] = []
const never = new AbortController().signal
const silent = () => undefined

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Does a step, and notes what came of it and how long it took. */
async function step<T>(name: string, work: () => Promise<readonly [string, T]>): Promise<T> {
  const started = performance.now()
  const [result, value] = await work()
  steps.push([name, result, secondsText((performance.now() - started) / 1000)])
  return value
}

async function emptyFolder(): Promise<void> {
  if (await exists(folder)) {
    const empty = (await readdir(folder)).length === 0
    if (!empty && !(await exists(ours))) {
      throw new Error(
        `${folder} holds files that this demo did not make; it removes nothing there. Name another folder: npm run demo -- FOLDER`,
      )
    }
    await rm(folder, { recursive: true })
  }
  await mkdir(folder, { recursive: true })
  await writeFile(ours, 'This folder is removed and made anew by each "npm run demo".\n')
}

const appFor = (data: string): App => createApp(readConfig({}, { data }, folder))

async function withInstance<T>(
  app: App,
  access: 'read' | 'write' | 'exclusive',
  work: (instance: Instance) => Promise<T>,
) {
  await using instance = await app.open({ access, command: 'demo' })
  return await work(instance)
}

async function fill({ users, nodes, tags, documents }: Instance): Promise<readonly [string, undefined]> {
  for (const user of sampleUsers) await users.add({ ...user, password: `${user.username}-demo` })
  const idOf = new Map((await users.list()).map(({ username, id }) => [username, id]))
  let versions = 0
  let pages = 0
  for (const { username, path, lang, versions: versionTexts } of sampleDocuments) {
    const parent = path.slice(0, -1).join('/')
    if (path.length > 2) await nodes.makeFolder({ username, path: parent, parents: true })
    const { id: parentId } = await nodes.resolve({ username, path: parent })
    const title = path.at(-1) ?? ''
    let documentId: string | undefined
    for (const texts of versionTexts) {
      const pdf = await makePdf(title, texts)
      const version = {
        fileName: title,
        bytes: once(pdf),
        mediaType: 'application/pdf',
        pageCount: texts.length,
        lang,
        pages: texts.map((text) => ({ text, lang })),
        text: texts.join('\n\n'),
      }
      if (documentId === undefined) {
        const userId = idOf.get(username) ?? ''
        documentId = (await documents.create({ userId, parentId, title, ...version })).documentId
      } else {
        await documents.addVersion({ documentId, ...version })
      }
      versions += 1
      pages += texts.length
    }
  }
  for (const tag of sampleTags) await tags.add(tag)
  const what = [
    counted(sampleUsers.length, 'user'),
    counted(sampleDocuments.length, 'document'),
    counted(versions, 'version'),
    counted(pages, 'page'),
  ]
  return [what.join(', '), undefined]
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function treeOf(instance: Instance): Promise<string> {
  let text = ''
  for await (const piece of instance.tree({ text: true })) text += piece
  return text
}

/** SHA-256 of every file below the folder, by its path in it. */
async function hashes(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash)
    found.set(relative(root, path), hash.digest('hex'))
  }
  return found
}

function differences(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((path) => left.get(path) !== right.get(path))
}

/** A path as one would type it here: relative where it lies below, in quotes where a shell would take it apart. */
function forShell(path: string): string {
  const below = relative(process.cwd(), path)
  const short = below.startsWith('..') ? path : below.includes('/') ? below : `./${below}`
  return /^[\w./-]+$/.test(short) ? short : `'${short.replaceAll("'", `'\\''`)}'`
}

async function main(): Promise<void> {
  await emptyFolder()
  const first = appFor('first-instance')
  const second = appFor('second-instance')

  await step('Make an instance', async () => {
    const { to } = await first.migrate()
    return [`schema version ${to}`, undefined]
  })
  await step('Fill it', () => withInstance(first, 'write', fill))
  const archive = await step('Back it up', () =>
    withInstance(first, 'write', async ({ backup }) => {
      const input = { location: join(folder, 'backups/'), overwrite: false, verify: true, links: 'symbolic' } as const
      const { archive: path } = await backup(input, silent, never)
      return [bytesText((await stat(path)).size), path] as const
    }),
  )
  await step('Verify the archive', async () => {
    const report = await first.verify({ archive }, silent, never)
    if (!report.sound) throw new Error('The archive is not sound.')
    return ['sound: every hash is right', undefined]
  })
  await step('Restore it into a second instance', async () => {
    await second.migrate()
    return withInstance(second, 'exclusive', async ({ restore }) => {
      const report = await restore({ archive }, silent, never)
      return [report.warnings.total === 0 ? 'all of it' : counted(report.warnings.total, 'warning'), undefined]
    })
  })
  const equal = await step('Compare the two', async () => {
    const trees = [await withInstance(first, 'read', treeOf), await withInstance(second, 'read', treeOf)]
    const [left, right] = await Promise.all([
      hashes(join(folder, 'first-instance', 'media')),
      hashes(join(folder, 'second-instance', 'media')),
    ])
    const different = differences(left, right)
    if (trees[0] !== trees[1]) return ['DIFFERENT: the trees are not the same', false]
    if (different.length > 0) return [`DIFFERENT: ${different.join(', ')}`, false]
    return [`equal: the tree with all texts, and ${counted(left.size, 'file')} byte for byte`, true]
  })

  const typed = {
    program: forShell(join(import.meta.dirname, '..', 'strongroom')),
    archive: forShell(archive),
    first: forShell(join(folder, 'first-instance')),
    second: forShell(join(folder, 'second-instance')),
  }
  const lines = [
    ...columns(steps),
    '',
    'Where it lies',
    ...columns(
      [
        ['the first instance', typed.first],
        ['the archive', typed.archive],
        ['the second instance', typed.second],
      ],
      '  ',
    ),
    '',
    'What to try next',
    `  ${typed.program} tree --data ${typed.second}`,
    `  ${typed.program} inspect ${typed.archive}`,
    `  ${typed.program} import README.md docs --user ada --data ${typed.first}`,
    `  tar -tzf ${typed.archive}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  if (!equal) process.exitCode = 1
}

await main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
