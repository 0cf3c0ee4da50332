import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { CommandInstance } from './command-instances.ts'

/** What a process is started with that takes the lock of an instance, or tries to. */
const holderOf = (mode: 'shared' | 'exclusive' | 'try', { dataDirectory, url }: CommandInstance): string[] => {
  const program = join(import.meta.dirname, 'lock-holder.ts')
  return [program, mode, dataDirectory, ...(url === undefined ? [] : [url])]
}

/** Does `work` while another process holds the lock of an instance. */
export async function whileLocked(
  mode: 'shared' | 'exclusive',
  instance: CommandInstance,
  work: () => Promise<unknown>,
): Promise<void> {
  const holder = spawn(process.execPath, holderOf(mode, instance))
  try {
    await once(holder.stdout, 'data')
    await work()
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'close')
  }
}

/** The program, for what no command line can do. */
export const appOf = ({ dataDirectory, url }: CommandInstance) =>
  createApp(readConfig({}, { data: dataDirectory, database: url }, '/'))

/**
 * Whether another process could have the instance alone, `free` or `taken`. This process stands still meanwhile, so that
 * what it is in the middle of does not end before the answer.
 */
export const askForAlone = (instance: CommandInstance): string =>
  spawnSync(process.execPath, holderOf('try', instance), { encoding: 'utf8' }).stdout
