import { openDatabase } from '../../src/database/open.ts'

/**
 * A process that takes an instance's lock, says "held", and keeps it until it is killed. Its arguments: mode, data
 * directory, and the database's URL where it is not SQLite.
 */
const [mode, dataDirectory, url] = process.argv.slice(2)
if ((mode !== 'shared' && mode !== 'exclusive') || dataDirectory === undefined) throw new Error('Wrong arguments')
const database = await openDatabase({ dataDirectory, ...(url === undefined ? {} : { url }) })
const lock = await database.lock(mode, 0)
if (lock === undefined) throw new Error('The lock was not free')
process.stdout.write('held\n')
setInterval(() => void lock.assertHeld(), 1000)
