import { createJsonTokenizer, JsonError, type JsonToken } from './json-tokens.ts'

/** A value inside a record. Objects have no prototype, so that no key means more than its name. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

export type JsonObject = { [key: string]: JsonValue }

/**
 * Which parts of a JSON object are wanted. `lists` are arrays of objects too long for memory: each element is delivered as
 * a record of its own and does not stand in the record around it. `objects` may hold such lists deeper inside. `values` are
 * kept in the record; every other key is passed over and reported once.
 */
export interface RecordShape {
  readonly values: readonly string[]
  readonly lists?: Readonly<Record<string, RecordShape>>
  readonly objects?: Readonly<Record<string, RecordShape>>
}

export interface JsonRecord {
  /** The keys that lead to it, joined by dots, as `users.nodes.versions`; empty for the whole text. */
  readonly path: string
  /** The places of the list elements around it and its own, from 0, outermost first. */
  readonly places: readonly number[]
  readonly value: JsonObject
}

export interface RecordReaderEvents {
  /** Called when a record is complete: what it contains comes before it, whatever the order of its keys. */
  onRecord(record: JsonRecord): void
  /** Called when an object of the shape that is no record is complete, before the record around it. */
  onObject(path: string, value: JsonObject): void
  /** Called for a key that is not in the shape, once for each path. */
  onUnknownKey(path: string): void
}

const deepest = 64
/** Source bytes of the values that one record may keep, beyond which no text of ours goes. */
const largestRecord = 128 * 1024 * 1024
/** What a value costs in memory beside its text. */
const bytesOfValue = 64
const mostKeys = 10_000
const mostUnknownKeys = 1000

type Frame =
  | {
      readonly kind: 'record'
      readonly shape: RecordShape
      readonly value: JsonObject
      readonly path: string
      readonly delivers: boolean
    }
  | { readonly kind: 'list'; readonly shape: RecordShape; readonly path: string }
  | { readonly kind: 'object'; readonly value: JsonObject }
  | { readonly kind: 'array'; readonly value: JsonValue[] }
  | { readonly kind: 'skipped'; readonly isObject: boolean }

/**
 * Reads a JSON object of any size in constant memory. Strict: a key that stands twice, nesting deeper than 64 and anything
 * after the end are errors. Throws JsonError from `write` and `end`.
 */
export function createRecordReader(shape: RecordShape, events: RecordReaderEvents) {
  const frames: Frame[] = []
  const keys: Set<string>[] = []
  const places: number[] = []
  const sizes: number[] = []
  const unknown = new Set<string>()
  let key: string | undefined
  let expects: 'value' | 'keyOrEnd' | 'key' | 'colon' | 'commaOrEnd' | 'valueOrEnd' | 'nothing' = 'value'

  const tokenizer = createJsonTokenizer((token, position) => {
    if (token.type === 'value' && token.isString && (expects === 'keyOrEnd' || expects === 'key')) {
      const name = token.value as string
      const seen = keys.at(-1)!
      if (seen.size >= mostKeys) throw new JsonError(`an object with more than ${mostKeys} keys ends`, position)
      if (seen.has(name))
        throw new JsonError(`the key ${JSON.stringify(name.slice(0, 100))} stands twice in one object`, position)
      seen.add(name)
      key = name
      expects = 'colon'
      return
    }
    if (token.type === ':' && expects === 'colon') {
      expects = 'value'
      return
    }
    if (token.type === ',' && expects === 'commaOrEnd') {
      expects = isObjectFrame(frames.at(-1)!) ? 'key' : 'value'
      return
    }
    const mayEnd = expects === 'commaOrEnd' || expects === 'keyOrEnd' || expects === 'valueOrEnd'
    const top = frames.at(-1)
    if (token.type === '}' && mayEnd && top !== undefined && isObjectFrame(top)) return close(top)
    if (token.type === ']' && mayEnd && top !== undefined && !isObjectFrame(top)) return close(top)
    if (expects !== 'value' && expects !== 'valueOrEnd')
      throw new JsonError(`an unexpected ${nameOf(token)} stands`, position)
    if (token.type === '{') return openObject(position)
    if (token.type === '[') return openArray(position)
    if (token.type !== 'value') throw new JsonError(`an unexpected ${nameOf(token)} stands`, position)
    takeScalar(token.value, position)
  })

  function openObject(position: number): void {
    const parent = frames.at(-1)
    if (parent === undefined)
      return push({ kind: 'record', shape, value: emptyObject(), path: '', delivers: true }, position)
    if (parent.kind === 'list') {
      places[places.length - 1]! += 1
      sizes.push(0)
      return push(
        { kind: 'record', shape: parent.shape, value: emptyObject(), path: parent.path, delivers: true },
        position,
      )
    }
    if (parent.kind === 'record') {
      const inner = lookUp(parent.shape.objects, key!)
      if (inner !== undefined) {
        const value = emptyObject()
        parent.value[key!] = value
        return push({ kind: 'record', shape: inner, value, path: join(parent.path, key!), delivers: false }, position)
      }
      if (lookUp(parent.shape.lists, key!) !== undefined)
        throw new JsonError(`${join(parent.path, key!)} is not a list: an object`, position)
      if (!wanted(parent)) return push({ kind: 'skipped', isObject: true }, position)
    }
    if (parent.kind === 'skipped') return push({ kind: 'skipped', isObject: true }, position)
    const value = emptyObject()
    charge(0, position)
    place(parent, value)
    push({ kind: 'object', value }, position)
  }

  function openArray(position: number): void {
    const parent = frames.at(-1)
    if (parent === undefined) throw new JsonError('a list instead of an object begins', position)
    if (parent.kind === 'list') throw new JsonError(`a list in ${parent.path} instead of an object begins`, position)
    if (parent.kind === 'record') {
      const inner = lookUp(parent.shape.lists, key!)
      if (inner !== undefined) {
        // The record keeps an empty list as the sign that the key was there.
        parent.value[key!] = []
        places.push(-1)
        return push({ kind: 'list', shape: inner, path: join(parent.path, key!) }, position)
      }
      if (lookUp(parent.shape.objects, key!) !== undefined) {
        throw new JsonError(`${join(parent.path, key!)} is not an object: a list`, position)
      }
      if (!wanted(parent)) return push({ kind: 'skipped', isObject: false }, position)
    }
    if (parent.kind === 'skipped') return push({ kind: 'skipped', isObject: false }, position)
    const value: JsonValue[] = []
    charge(0, position)
    place(parent, value)
    push({ kind: 'array', value }, position)
  }

  function takeScalar(value: string | number | boolean | null, position: number): void {
    const parent = frames.at(-1)
    if (parent === undefined) throw new JsonError('something that is not an object stands', position)
    expects = 'commaOrEnd'
    if (parent.kind === 'skipped') return
    if (parent.kind === 'list')
      throw new JsonError(`something in ${parent.path} that is not an object stands`, position)
    if (parent.kind === 'record') {
      if (lookUp(parent.shape.lists, key!) !== undefined)
        throw new JsonError(`${join(parent.path, key!)} is not a list: a value`, position)
      if (lookUp(parent.shape.objects, key!) !== undefined) {
        throw new JsonError(`${join(parent.path, key!)} is not an object: a value`, position)
      }
      if (!wanted(parent)) return
    }
    charge(typeof value === 'string' ? value.length : 0, position)
    place(parent, value)
  }

  /** Counts what a record keeps, so that none outgrows memory. */
  function charge(bytes: number, position: number): void {
    const last = sizes.length - 1
    sizes[last] = sizes[last]! + bytes + bytesOfValue
    if (sizes[last] > largestRecord) throw new JsonError('a record that is too large for memory ends', position)
  }

  function wanted(frame: { readonly shape: RecordShape; readonly path: string }): boolean {
    if (frame.shape.values.includes(key!)) return true
    const path = join(frame.path, key!)
    if (!unknown.has(path) && unknown.size < mostUnknownKeys) {
      unknown.add(path)
      events.onUnknownKey(path)
    }
    return false
  }

  function place(frame: Frame, value: JsonValue): void {
    if (frame.kind === 'array') frame.value.push(value)
    else if (frame.kind === 'record' || frame.kind === 'object') frame.value[key!] = value
  }

  function push(frame: Frame, position: number): void {
    if (frames.length >= deepest) throw new JsonError(`nesting deeper than ${deepest} begins`, position)
    if (frames.length === 0) sizes.push(0)
    frames.push(frame)
    if (isObjectFrame(frame)) keys.push(new Set())
    expects = isObjectFrame(frame) ? 'keyOrEnd' : 'valueOrEnd'
  }

  function close(frame: Frame): void {
    frames.pop()
    if (isObjectFrame(frame)) keys.pop()
    if (frame.kind === 'list') places.pop()
    if (frame.kind === 'record') {
      if (frame.delivers) {
        sizes.pop()
        events.onRecord({ path: frame.path, places: [...places], value: frame.value })
      } else {
        events.onObject(frame.path, frame.value)
      }
    }
    expects = frames.length === 0 ? 'nothing' : 'commaOrEnd'
  }

  return {
    write: (chunk: Uint8Array): void => tokenizer.write(chunk),
    end(): void {
      tokenizer.end()
      if (expects !== 'nothing') throw new JsonError('the text ends too early,', tokenizer.position())
    },
  }
}

const emptyObject = (): JsonObject => Object.create(null) as JsonObject

const isObjectFrame = (frame: Frame): boolean =>
  frame.kind === 'record' || frame.kind === 'object' || (frame.kind === 'skipped' && frame.isObject)

const lookUp = (shapes: Readonly<Record<string, RecordShape>> | undefined, key: string): RecordShape | undefined =>
  shapes !== undefined && Object.hasOwn(shapes, key) ? shapes[key] : undefined

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key.slice(0, 100)}`)

const nameOf = (token: JsonToken): string => (token.type === 'value' ? 'value' : `"${token.type}"`)
