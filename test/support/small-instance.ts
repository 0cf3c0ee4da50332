import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandInstance } from './command-instances.ts'
import { fillDirectly } from './filler.ts'

/** A folder of its own that goes with its user. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'strongroom-operations-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Where the files of `fillSmall` lie below the data directory, and at the same time in the archive. */
export interface SmallInstance {
  readonly original: string
  readonly earlier: string
  readonly sidecar: string
}

/** Two users, a document of two versions with a sidecar, a folder, and a tag. */
export async function fillSmall(instance: Pick<CommandInstance, 'dataDirectory' | 'url'>): Promise<SmallInstance> {
  let place = ''
  await fillDirectly(instance, async ({ user, node, tag, version, page }) => {
    await user({ username: 'root', is_superuser: 1 })
    const ada = await user({ username: 'ada', email: 'ada@example.org' })
    const taxes = await node({ user_id: ada.id, parent_id: ada.home, title: 'Taxes' })
    const document = await node({ user_id: ada.id, parent_id: taxes, title: '2023.pdf', type: 'document' })
    await tag({ user_id: ada.id, name: 'paid' }, [document, taxes])
    await version({ user: ada.id, document }, { number: 1, file_name: 'scan.pdf' }, 'first bytes')
    const last = await version({ user: ada.id, document }, { number: 2, file_name: 'scan.pdf' }, 'second bytes')
    await page(last, { text: 'second text' }, { '_ocr.svg': '<svg/>' })
    place = `user_${ada.id}/document_${document}`
  })
  return {
    original: `docs/${place}/v2/scan.pdf`,
    earlier: `docs/${place}/v1/scan.pdf`,
    sidecar: `sidecars/${place}/v2/pages/000001/000001_ocr.svg`,
  }
}
