import { createCipheriv, createHash, randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { NodeRow, VersionRow } from '../../src/database/schema.ts'
import { insertNodes } from '../../src/database/queries/nodes.ts'
import { insertVersions } from '../../src/database/queries/versions.ts'
import { versionKey } from '../../src/media/keys.ts'
import type { CommandInstance } from './command-instances.ts'
import { fillDirectly } from './filler.ts'
import { aNode, aVersion } from './rows.ts'

const inFolder = 1000

/** Bytes that nothing compresses, others for each number. */
function noiseOf(number: number, zeros: Buffer): Buffer {
  const key = Buffer.alloc(16)
  key.writeUInt32LE(number)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(zeros)
}

export interface OneOfMany {
  readonly id: string
  readonly path: string
  readonly sha256: string
}

/** Puts that many documents of `bytes` bytes that nothing compresses into the home of ada, a thousand in a folder; gives one of them. */
export async function fillMany(instance: CommandInstance, documents: number, bytes: number): Promise<OneOfMany> {
  const chosen = Math.floor(documents * 0.7)
  let one: OneOfMany | undefined
  const zeros = Buffer.alloc(bytes)
  await fillDirectly(instance, async ({ tx, user, node }) => {
    const { id: userId, home } = await user({ username: 'ada' })
    for (let first = 0; first < documents; first += inFolder) {
      const folder = await node({ user_id: userId, parent_id: home, title: `Folder ${first}` })
      const nodes: NodeRow[] = []
      const versions: VersionRow[] = []
      for (let number = first; number < Math.min(documents, first + inFolder); number += 1) {
        const title = `Letter ${number}.pdf`
        const id = randomUUID()
        const mediaKey = versionKey({ userId, documentId: id, number: 1, fileName: 'letter.pdf' })
        const path = join(instance.dataDirectory, 'media', mediaKey)
        const body = noiseOf(number, zeros)
        const sha256 = createHash('sha256').update(body).digest('hex')
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, body)
        nodes.push(aNode({ id, user_id: userId, parent_id: folder, type: 'document', title }))
        versions.push(
          aVersion({
            document_id: id,
            file_name: 'letter.pdf',
            size: bytes,
            sha256,
            page_count: null,
            media_key: mediaKey,
          }),
        )
        if (number === chosen) one = { id, path: `.home/Folder ${first}/${title}`, sha256 }
      }
      await insertNodes(tx, nodes)
      await insertVersions(tx, versions)
    }
  })
  return one!
}
