import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import { init } from '@embedpdf/pdfium'
import { reasonOf } from '../std/text.ts'

/** How many pages a PDF has, or why that cannot be told, as the end of a sentence about the file. */
export type PageCount = { readonly pages: number } | { readonly problem: string }

/** `reusable` is false where the reader may be in disorder and its thread must end. */
export interface PageCountAnswer {
  readonly count: PageCount
  readonly reusable: boolean
}

/** The most memory that the PDF reader may take for one file; the limits of a thread do not cover WebAssembly. */
const memoryLimit = 256 * 1024 * 1024
const wasmPageBytes = 65_536
/** FPDF_FILEACCESS holds the length in 32 bits. */
const largestFile = 0xffff_ffff
/** FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY of fpdfview.h. */
const protectedErrors: ReadonlySet<number> = new Set([4, 5])

interface Memory {
  readonly buffer: ArrayBufferLike
  grow(delta: number): number
}

declare const WebAssembly: { readonly Memory: { readonly prototype: Memory } }

// The reader asks for memory through this method; refused, it stops with an error instead of taking the machine's memory.
const grow = WebAssembly.Memory.prototype.grow
WebAssembly.Memory.prototype.grow = function growWithinLimit(this: Memory, delta: number): number {
  if (this.buffer.byteLength + delta * wasmPageBytes > memoryLimit) throw new RangeError('the memory limit is reached')
  return grow.call(this, delta)
}

const wasm = readFileSync(fileURLToPath(import.meta.resolve('@embedpdf/pdfium/pdfium.wasm')))
const reader = await init({ wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) })
reader.FPDF_InitLibrary()

// The view is replaced whenever the memory grows: never keep it.
const pdfium = reader.pdfium as typeof reader.pdfium & { readonly HEAPU8: Uint8Array }
const access = pdfium.wasmExports.malloc(12)
const pageSize = pdfium.wasmExports.malloc(8)
let file = -1

/** m_GetBlock of FPDF_FILEACCESS: fills `length` bytes at `target` from `position` of the file; 1, or 0 for a failure. */
function getBlock(_parameter: number, position: number, target: number, length: number): number {
  try {
    let done = 0
    while (done < length) {
      const count = readSync(file, pdfium.HEAPU8, target + done, length - done, (position >>> 0) + done)
      if (count === 0) return 0
      done += count
    }
    return 1
  } catch {
    return 0
  }
}

const getBlockPointer = pdfium.addFunction(getBlock, 'iiiii')

function count(path: string): PageCount {
  file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size > largestFile) return { problem: 'it is too large for its pages to be counted' }
    pdfium.setValue(access, size, 'i32')
    pdfium.setValue(access + 4, getBlockPointer, 'i32')
    pdfium.setValue(access + 8, 0, 'i32')
    const document = reader.FPDF_LoadCustomDocument(access, '')
    if (document === 0) {
      const isProtected = protectedErrors.has(reader.FPDF_GetLastError())
      return { problem: isProtected ? 'it is protected by a password' : 'it is damaged' }
    }
    try {
      return countOf(document)
    } finally {
      reader.FPDF_CloseDocument(document)
    }
  } finally {
    closeSync(file)
  }
}

function countOf(document: number): PageCount {
  const pages = reader.FPDF_GetPageCount(document)
  if (pages < 1) return { problem: 'no page was found in it' }
  // A file may claim any number: the last page must be there.
  if (!reader.FPDF_GetPageSizeByIndexF(document, pages - 1, pageSize))
    return { problem: `it claims to have ${pages} pages and lacks the last` }
  return { pages }
}

parentPort?.on('message', (path: string) => {
  let answer: PageCountAnswer
  try {
    answer = { count: count(path), reusable: true }
  } catch (error) {
    answer = { count: { problem: `its pages could not be counted (${reasonOf(error)})` }, reusable: false }
  }
  parentPort?.postMessage(answer)
})
