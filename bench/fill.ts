import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createChance } from './chance.ts'
import { scansOf, type Bodies, type Scan } from './scans.ts'

export interface Filled {
  readonly scans: number
  readonly largeMegabytes: number
  /** Of the scan that came in last. */
  readonly lastDocumentId: string
}

const storedTogether = 20

/**
 * Fills an instance in the shares of the corpus of 1.5 GB that the limits were set on: in 3,000 scanned PDFs, 6,000 text
 * layers and a file of 200 MB.
 */
export async function fill(data: string, megabytes: number, bodies: Bodies): Promise<Filled> {
  const scans = Math.max(20, Math.round(megabytes * 2))
  const largeMegabytes = Math.round(megabytes * 0.13)
  const app = createApp(readConfig({}, { data, database: undefined }, process.cwd()))
  await app.migrate()
  await using instance = await app.open({ access: 'write', command: 'bench' })
  const userId = await instance.users.add({ username: 'bench', password: null })
  const parentId = await instance.nodes.makeFolder({ username: 'bench', path: '.home/Scans', parents: false })
  const common = { userId, parentId, mediaType: 'application/pdf' } as const
  let number = 0
  const documentOf = ({ file, text, svg }: Scan) => ({
    ...common,
    title: `Scan ${number}.pdf`,
    fileName: `scan ${number++}.pdf`,
    bytes: once(file),
    pageCount: 1,
    pages: [{ text: text.slice(0, 1500) }],
    sidecars: [
      { pageNumber: 1, kind: '_ocr.svg' as const, bytes: once(Buffer.from(svg)) },
      { pageNumber: 1, kind: '_ocr_hocr.txt' as const, bytes: once(Buffer.from(text)) },
    ],
  })
  const noise = createChance(-1)
  const large = async function* (): AsyncGenerator<Uint8Array> {
    for (let left = largeMegabytes; left > 0; left -= 1) yield noise.bytes(1_000_000)
  }
  await instance.documents.create({
    ...common,
    title: 'Large.pdf',
    fileName: 'large.pdf',
    bytes: large(),
    pageCount: null,
  })
  let lastDocumentId = ''
  let waiting: ReturnType<typeof documentOf>[] = []
  const store = async (): Promise<void> => {
    const last = (await instance.documents.storeAll(waiting)).at(-1)
    waiting = []
    if (last !== undefined && 'documentId' in last) lastDocumentId = last.documentId
  }
  for await (const scan of scansOf(scans, bodies)) {
    waiting.push(documentOf(scan))
    if (waiting.length === storedTogether) await store()
  }
  if (waiting.length > 0) await store()
  return { scans, largeMegabytes, lastDocumentId }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
