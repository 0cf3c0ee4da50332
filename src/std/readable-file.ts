/** What is read by position: an open file, or what an encrypted one holds. */
export interface ReadableFile {
  /** As `FileHandle.read`: fills `buffer` from `offset` on; fewer bytes than asked for only at the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
}
