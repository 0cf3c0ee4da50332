import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, type ClientConfig } from 'pg'
import type { InstanceLock } from './database.ts'
import type { Translate } from './driver-errors.ts'

const pollMilliseconds = 50

/** Advisory locks belong to one database, so a fixed key is enough. "STRG" and a number. */
export const instanceKey = 0x5354_5247_0001n

/** The key of the same lock for a schema of its own in that database. */
export const keyWithin = (key: bigint, namespace: string | undefined): bigint =>
  namespace === undefined ? key : createHash('sha256').update(`${key} ${namespace}`).digest().readBigInt64BE()

/**
 * A session that is idle for hours must not be ended, and the one of a host that lost its power must be ended soon: the
 * server frees its locks only then.
 */
const sessionSettings = `
  select set_config(name, value, false)
  from (values ('statement_timeout', '0'), ('idle_session_timeout', '0'), ('tcp_keepalives_idle', '30'),
    ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')) as wanted (name, value)
  join pg_settings using (name)`

/** Locks an instance by a session advisory lock of its database; it ends with the session. */
export async function lockPostgres(
  config: ClientConfig,
  key: bigint,
  mode: 'shared' | 'exclusive',
  waitSeconds: number,
  translate: Translate,
): Promise<InstanceLock | undefined> {
  const client = new Client({ ...config, application_name: 'strongroom lock' })
  // A lost connection says so in assertHeld; without a listener the event would end the process.
  client.on('error', () => {})
  const end = (): Promise<void> => client.end().catch(() => {})
  try {
    await client.connect()
    await client.query(sessionSettings)
    if (!(await acquire(client, key, mode, waitSeconds))) {
      await end()
      return undefined
    }
  } catch (error) {
    await end()
    throw translate(error)
  }
  return {
    async assertHeld() {
      try {
        await client.query('select 1')
      } catch (error) {
        throw translate(error)
      }
    },
    [Symbol.asyncDispose]: end,
  }
}

// Asked for again and again, not waited for in the server: a waiting exclusive lock would keep new shared ones out.
async function acquire(
  client: Client,
  key: bigint,
  mode: 'shared' | 'exclusive',
  waitSeconds: number,
): Promise<boolean> {
  const attempt = mode === 'exclusive' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared'
  const deadline = performance.now() + waitSeconds * 1000
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>(`select ${attempt}(${key}) as locked`)
    if (rows[0]?.locked === true) return true
    if (performance.now() >= deadline) return false
    await pause(pollMilliseconds)
  }
}
