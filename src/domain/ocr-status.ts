export const ocrStatuses = ['unknown', 'received', 'started', 'succeeded', 'failed'] as const

export type OcrStatus = (typeof ocrStatuses)[number]

const spellings: ReadonlyMap<string, OcrStatus> = new Map<string, OcrStatus>([
  ...ocrStatuses.map((status) => [status, status] as const),
  // Papermerge 3.0 to 3.2.
  ['UNKNOWN', 'unknown'],
  ['RECEIVED', 'received'],
  ['STARTED', 'started'],
  ['SUCCESS', 'succeeded'],
  ['FAILED', 'failed'],
])

/**
 * The status that a text of Papermerge 2.1 (`succeeded`) or 3.x (`SUCCESS`) stands for. `recognized` is false where it is
 * none of theirs; the status is then `unknown`.
 */
export function parseOcrStatus(text: string): { readonly status: OcrStatus; readonly recognized: boolean } {
  const status = spellings.get(text)
  return status === undefined ? { status: 'unknown', recognized: false } : { status, recognized: true }
}
