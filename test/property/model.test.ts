import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ConflictChoice } from '../../src/contract/restore-plan.ts'
import { bytesOf } from '../support/instances.ts'
import { databases, type TestDatabases } from '../support/databases.ts'
import { createModelInstance, hashOfText, type Found, type FoundNode, type ModelInstance } from './model-instance.ts'
import {
  childIn,
  childrenIn,
  cloneModel,
  emptyModel,
  emptyTrashIn,
  isGone,
  learnId,
  lineOf,
  pathIn,
  restoreIn,
  trashIn,
  type Model,
  type ModelNode,
} from './model.ts'

const runs = Number(process.env['STRONGROOM_MODEL_RUNS'] ?? 30)

const titles = ['a', 'b', 'c.pdf']
const tagNames = ['red', 'blue']
const choices: readonly ConflictChoice[] = ['fail', 'skip', 'overwrite', 'keep-both']
const colors = ['#111111', '#222222']

// Which of what is there a step takes is a number, so that a sequence means something whatever came before it.
const which = fc.nat(20)
const title = fc.constantFrom(...titles)
const text = fc.nat(2)
const name = fc.constantFrom(...tagNames)
const create = fc.record({ do: fc.constant('create' as const), which, title, text })
const mkdir = fc.record({ do: fc.constant('mkdir' as const), which, title })
const tag = fc.record({ do: fc.constant('tag' as const), which, name, color: fc.constantFrom(...colors) })
const step = fc.oneof(
  { weight: 2, arbitrary: create },
  { weight: 2, arbitrary: mkdir },
  { weight: 2, arbitrary: tag },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('version' as const), which, text }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove tag' as const), name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move' as const), which, into: which, title }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rm' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('bring back' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('empty trash' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('backup' as const) }) },
  {
    weight: 7,
    arbitrary: fc.record({ do: fc.constant('restore' as const), which, choice: fc.constantFrom(...choices) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Something to back up, its backup, and what may become of both. */
const sequence = fc
  .tuple(
    fc.array(fc.oneof(create, mkdir, tag), { maxLength: 10, size: 'max' }),
    fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }),
  )
  .map(([first, then]): Step[] => [...first, { do: 'backup' }, ...then])

interface Run {
  readonly instance: ModelInstance
  model: Model
  readonly backups: Model[]
}

const isRoot = (node: ModelNode): boolean =>
  node.parent === null && node.from === null && (node.title === '.home' || node.title === '.inbox')

function choose<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(from.length, 1)]
}

const living = (model: Model): ModelNode[] =>
  [...model.nodes.values()]
    .filter((node) => !isGone(model, node.id))
    .toSorted((left, right) => (pathIn(model, left.id) < pathIn(model, right.id) ? -1 : 1))
const foldersOf = (model: Model): ModelNode[] => living(model).filter((node) => node.isFolder)
const documentsOf = (model: Model): ModelNode[] => living(model).filter((node) => !node.isFolder)
const movableOf = (model: Model): ModelNode[] => living(model).filter((node) => !isRoot(node))

const node = (fields: Pick<ModelNode, 'id' | 'isFolder' | 'title' | 'parent'> & Partial<ModelNode>): ModelNode => ({
  from: null,
  fromFolder: null,
  tags: new Set(),
  versions: [],
  ...fields,
})

const file = (text: number) => ({
  fileName: 'scan.txt',
  bytes: bytesOf(`text ${text}`),
  mediaType: 'text/plain',
  pageCount: 1,
})

/** Does a step to the instance and to the model. What cannot be done is left. */
async function take({ instance, model, backups }: Run, step: Step): Promise<void> {
  const username = 'ada'
  switch (step.do) {
    case 'create': {
      const folder = choose(foldersOf(model), step.which)!
      if (childIn(model, folder.id, step.title) !== undefined) return
      const { documentId } = await instance.use('write', ({ documents }) =>
        documents.create({ userId: instance.userId, parentId: folder.id, title: step.title, ...file(step.text) }),
      )
      const versions = [hashOfText(`text ${step.text}`)]
      model.nodes.set(
        documentId,
        node({ id: documentId, isFolder: false, title: step.title, parent: folder.id, versions }),
      )
      return
    }
    case 'mkdir': {
      const folder = choose(foldersOf(model), step.which)!
      if (childIn(model, folder.id, step.title) !== undefined) return
      const path = `${pathIn(model, folder.id)}/${step.title}`
      const id = await instance.use('write', ({ nodes }) => nodes.makeFolder({ username, path, parents: false }))
      model.nodes.set(id, node({ id, isFolder: true, title: step.title, parent: folder.id }))
      return
    }
    case 'version': {
      const document = choose(documentsOf(model), step.which)
      if (document === undefined) return
      await instance.use('write', ({ documents }) =>
        documents.addVersion({ documentId: document.id, ...file(step.text) }),
      )
      document.versions.push(hashOfText(`text ${step.text}`))
      return
    }
    case 'tag': {
      const tagged = choose(movableOf(model), step.which)
      if (tagged === undefined) return
      const path = pathIn(model, tagged.id)
      await instance.use('write', ({ tags }) => tags.add({ username, path, name: step.name, bgColor: step.color }))
      const { id } = (await instance.found()).tags.find((each) => each.name === step.name)!
      model.tags.set(id, { id, name: step.name, color: step.color })
      tagged.tags.add(id)
      return
    }
    case 'remove tag': {
      const tag = [...model.tags.values()].find((each) => each.name === step.name)
      if (tag === undefined) return
      await instance.use('write', ({ tags }) => tags.remove({ username, name: step.name }))
      model.tags.delete(tag.id)
      for (const each of model.nodes.values()) each.tags.delete(tag.id)
      return
    }
    case 'move': {
      const moved = choose(movableOf(model), step.which)
      const folder = choose(foldersOf(model), step.into)!
      if (moved === undefined || lineOf(model, folder.id).includes(moved)) return
      if (childIn(model, folder.id, step.title) !== undefined) return
      const to = `${pathIn(model, folder.id)}/${step.title}`
      await instance.use('write', ({ nodes }) => nodes.move({ username, from: pathIn(model, moved.id), to }))
      Object.assign(moved, { parent: folder.id, title: step.title })
      return
    }
    case 'rm': {
      const removed = choose(movableOf(model), step.which)
      if (removed === undefined) return
      await instance.use('write', ({ nodes }) => nodes.remove({ username, paths: [pathIn(model, removed.id)] }))
      trashIn(model, removed)
      return
    }
    case 'bring back': {
      const trashed = [...model.nodes.values()].filter((each) => each.from !== null)
      const item = choose(trashed, step.which)
      const folder = item?.fromFolder
      if (item === undefined || folder === null || folder === undefined) return
      if (!model.nodes.has(folder) || isGone(model, folder) || childIn(model, folder, item.title) !== undefined) return
      await instance.use('write', ({ trash }) => trash.restore({ username, item: item.id }))
      Object.assign(item, { parent: folder, from: null, fromFolder: null })
      return
    }
    case 'empty trash':
      await instance.use('write', ({ trash }) => trash.empty())
      emptyTrashIn(model)
      return
    case 'backup':
      await instance.backup(instance.archiveOf(backups.length))
      backups.push(cloneModel(model))
      return
    case 'restore':
      if (backups.length > 0) await restore({ instance, model, backups }, step.which % backups.length, step.choice)
  }
}

async function restore({ instance, model, backups }: Run, which: number, choice: ConflictChoice): Promise<void> {
  const archive = instance.archiveOf(which)
  const before = await instance.everything()
  const planned = (await instance.dryRun(archive, choice)).plan
  expect(await instance.everything(), 'after a dry run').toEqual(before)
  const next = cloneModel(model)
  const conflicts = restoreIn(next, backups[which]!, choice)
  expect(planned.conflicts).toBe(conflicts)
  const done = await instance.restore(archive, choice)
  if (conflicts > 0) {
    expect(done).toBeUndefined()
    expect(await instance.everything(), 'after a refusal').toEqual(before)
    return
  }
  expect({ ...done, digest: '' }).toEqual({ ...planned, digest: '' })
  replaceModel(model, next)
  compare(model, await instance.found())
  const once = await instance.everything()
  await instance.restore(archive, choice)
  expect(await instance.everything(), 'after the same restore again').toEqual(once)
}

function replaceModel(model: Model, next: Model): void {
  model.nodes.clear()
  model.tags.clear()
  for (const [id, each] of next.nodes) model.nodes.set(id, each)
  for (const [id, each] of next.tags) model.tags.set(id, each)
}

/** Holds the instance against the model, and notes the ids that only the instance could know. */
function compare(model: Model, found: Found): void {
  for (const tag of found.tags) {
    const wanted = [...model.tags.values()].find((each) => each.name === tag.name)
    if (wanted?.id.startsWith('?') === true) learnId(model, wanted.id, tag.id)
  }
  expect([...model.tags.values()].toSorted(byId)).toEqual(found.tags.toSorted(byId))
  const wanted = wantedForest(model)
  const actual = foundForest(found)
  expect(withoutIds(actual)).toEqual(withoutIds(wanted))
  learn(model, wanted, actual)
}

const byId = (left: { readonly id: string }, right: { readonly id: string }): number => (left.id < right.id ? -1 : 1)

interface Branch {
  readonly id: string
  readonly facts: string
  readonly children: readonly Branch[]
}

const wantedForest = (model: Model): Branch[] => {
  const grow = (each: ModelNode): Branch => ({
    id: each.id,
    facts: JSON.stringify([each.from, each.isFolder, each.title, [...each.tags].toSorted(), each.versions]),
    children: ordered(childrenIn(model, each.id).map(grow)),
  })
  return ordered([...model.nodes.values()].filter((each) => each.parent === null).map(grow))
}

const foundForest = ({ nodes }: Found): Branch[] => {
  const grow = (each: FoundNode): Branch => ({
    id: each.id,
    facts: JSON.stringify([each.from, each.isFolder, each.title, each.tags.toSorted(), each.versions]),
    children: ordered(nodes.filter((child) => child.parent === each.id).map(grow)),
  })
  return ordered(nodes.filter((each) => each.parent === null).map(grow))
}

const ordered = (branches: readonly Branch[]): Branch[] =>
  branches.toSorted((left, right) => (looksOf(left) < looksOf(right) ? -1 : 1))

const looksOf = (branch: Branch): string => JSON.stringify(withoutIds([branch]))

const withoutIds = (branches: readonly Branch[]): unknown =>
  branches.map(({ facts, children }) => [facts, withoutIds(children)])

/** What looks the same is told apart by its id, and what has none yet takes what is left. */
function learn(model: Model, wanted: readonly Branch[], actual: readonly Branch[]): void {
  const left = [...actual]
  const isUnknown = ({ id }: Branch): boolean => id.startsWith('?')
  for (const each of [...wanted.filter((one) => !isUnknown(one)), ...wanted.filter(isUnknown)]) {
    const at = left.findIndex((one) => looksOf(one) === looksOf(each) && (isUnknown(each) || one.id === each.id))
    expect(at, `${each.id} ${each.facts}`).toBeGreaterThanOrEqual(0)
    const [found] = left.splice(at, 1)
    learnId(model, each.id, found!.id)
    learn(model, each.children, found!.children)
  }
}

/** Takes the steps, holding the instance against the model after each, and gives what a check finds in the end. */
async function follow(kind: TestDatabases, steps: readonly Step[]): Promise<unknown> {
  await using instance = await createModelInstance(kind)
  const run: Run = { instance, model: emptyModel(), backups: [] }
  for (const { id, title } of (await instance.found()).nodes)
    run.model.nodes.set(id, node({ id, isFolder: true, title, parent: null }))
  for (const step of steps) {
    await take(run, step)
    compare(run.model, await instance.found())
  }
  return (await instance.check()).leftOut.listed
}

test.each(databases)(
  'on $name, an instance is what a model says after any sequence of edits, backups and restores',
  { timeout: 120_000 + runs * 10_000 },
  async (kind) => {
    const law = fc.asyncProperty(sequence, async (steps) => {
      expect(await follow(kind, steps)).toEqual([])
    })
    const numRuns = kind.name === 'SQLite' ? runs : Math.ceil(runs / 6)
    await fc.assert(law, { numRuns, endOnFailure: process.env['STRONGROOM_MODEL_RUNS'] === undefined })
  },
)
