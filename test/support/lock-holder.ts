import { openDatabase } from '../../src/database/open.ts'

/**
 * A process that takes an instance's lock, says "held", and keeps it until it is killed; with the mode "try" it says whether
 * it could have the instance alone, "free" or "taken", and ends. Its arguments: mode, data directory, and the database's URL
 * where it is not SQLite.
 */
const [mode, dataDirectory, url] = process.argv.slice(2)
const isMode = mode === 'shared' || mode === 'exclusive' || mode === 'try'
if (!isMode || dataDirectory === undefined) throw new Error('Wrong arguments')
const database = await openDatabase({ dataDirectory, ...(url === undefined ? {} : { url }) })
const lock = await database.lock(mode === 'try' ? 'exclusive' : mode, 0)
if (mode === 'try') {
  process.stdout.write(lock === undefined ? 'taken' : 'free')
  await lock?.[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
} else {
  if (lock === undefined) throw new Error('The lock was not free')
  process.stdout.write('held\n')
  setInterval(() => void lock.assertHeld(), 1000)
}
