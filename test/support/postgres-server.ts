import type { TestProject } from 'vitest/node'
import { careless, startPostgres } from './postgres-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** An administrator's address on the PostgreSQL server of the tests; its database is only there to connect to. */
    postgresUrl: string
  }
}

/** Starts one PostgreSQL server for a whole run, or takes the one that STRONGROOM_TEST_POSTGRES_URL names. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['STRONGROOM_TEST_POSTGRES_URL']
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given)
    return undefined
  }
  const server = await startPostgres(careless)
  project.provide('postgresUrl', server.url)
  return async () => server[Symbol.asyncDispose]()
}
