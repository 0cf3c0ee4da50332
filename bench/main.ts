/**
 * Measures what Strongroom promises of speed and memory. bench/README.md explains the figures.
 *
 *   npm run bench -- [--megabytes 200] [--rounds 3] [--documents 3000] [--database URL --target-database URL]
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { measureMemory } from './memory.ts'
import { measureSpeed } from './speed.ts'

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    documents: { type: 'string', default: '3000' },
    database: { type: 'string' },
    'target-database': { type: 'string' },
  },
})
const load = (): string =>
  loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')

const [megabytes, rounds, documents] = [Number(values.megabytes), Number(values.rounds), Number(values.documents)]
console.log(`load ${load()}`)
const results = [
  megabytes > 0 ? await measureSpeed({ megabytes, rounds }) : true,
  documents > 0
    ? await measureMemory({ documents, database: values.database, targetDatabase: values['target-database'] })
    : true,
]
console.log(`load ${load()}`)
if (results.includes(false)) process.exitCode = 1
