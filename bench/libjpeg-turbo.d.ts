declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs' {
  interface Encoder {
    /** Memory for the pixels, three bytes each; valid until the next call. */
    getDecodedBuffer(frame: {
      readonly width: number
      readonly height: number
      readonly bitsPerSample: 8
      readonly componentCount: 3
      readonly isSigned: false
    }): Uint8Array
    setQuality(percent: number): void
    encode(): void
    getEncodedBuffer(): Uint8Array
  }
  const load: () => Promise<{ readonly JPEGEncoder: new () => Encoder }>
  // oxlint-disable-next-line import/no-default-export -- as the package has it
  export default load
}
