import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import type { RestorePlan } from '../contract/restore-plan.ts'
import { StrongroomError } from '../errors.ts'
import { onFile } from '../std/files.ts'

const planSchema = z.object({
  strongroom: z.literal('restore plan'),
  format: z.literal(1),
  archive: z.string(),
  onConflict: z.enum(['fail', 'skip', 'overwrite', 'keep-both']),
  replace: z.boolean(),
  keepGoing: z.boolean(),
  parts: z
    .object({
      user: z.string().nullable(),
      paths: z.array(z.string()),
      documents: z.array(z.string()),
      asUser: z.string().nullable(),
      into: z.string().nullable(),
      versions: z.enum(['all', 'last']),
    })
    .nullable()
    .default(null),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
})

export type SavedPlan = z.infer<typeof planSchema>

/** Keeps what a dry run planned, for a person to read and a restore to carry out. Throws `file.exists` and other `file.…`. */
export async function savePlan(path: string, archive: string, plan: RestorePlan, keepGoing: boolean): Promise<void> {
  const { onConflict, digest, parts, ...told } = plan
  const replace = plan.replaced !== null
  const choices = { onConflict, replace, keepGoing }
  const saved = { strongroom: 'restore plan', format: 1, archive, ...choices, parts, digest }
  const text = `${JSON.stringify({ ...saved, told }, null, 2)}\n`
  await onFile(path, 'written', () => writeFile(path, text, { flag: 'wx', mode: 0o600 }))
}

/** Reads a plan that was kept. Throws `restore.bad_plan`, `file.…`. */
export async function readPlan(path: string): Promise<SavedPlan> {
  const text = await onFile(path, 'read', () => readFile(path, 'utf8'))
  const parsed = planSchema.safeParse(parseJson(text))
  if (!parsed.success) throw new StrongroomError('restore.bad_plan', { path })
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
