/**
 * Loaded before the program with `node --import`: counts what the process asks of its databases, and writes that to file
 * descriptor 3 when it ends, with what the kernel knows of the process.
 */
import { readFileSync, writeSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { Client } from 'pg'
import type { Counts } from './counted-command.ts'

const statements = { instance: 0, scratch: 0 }

const paths = new WeakMap<StatementSync, string>()
const count = (path: string): void => {
  const name = path.split('/').at(-1)!
  if (name !== 'instance.lock') statements[name.startsWith('scratch-') || name === '' ? 'scratch' : 'instance'] += 1
}
const { exec, prepare } = DatabaseSync.prototype
DatabaseSync.prototype.exec = function (this: DatabaseSync, text) {
  count(this.location() ?? '')
  exec.call(this, text)
}
DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args) {
  const statement = prepare.apply(this, args)
  paths.set(statement, this.location() ?? '')
  return statement
}
for (const method of ['run', 'all', 'get', 'iterate'] as const) {
  const original = StatementSync.prototype[method] as (...args: unknown[]) => never
  StatementSync.prototype[method] = function (this: StatementSync, ...args: unknown[]) {
    count(paths.get(this)!)
    return original.apply(this, args)
  }
}
const prototype = Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
const { query } = prototype
prototype.query = function (this: Client, ...args: unknown[]) {
  statements.instance += 1
  return query.apply(this, args)
}

process.on('exit', () => {
  const written = /^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]
  const counts: Counts = {
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    writtenBytes: Number(written),
    statements,
  }
  writeSync(3, JSON.stringify(counts))
})
