/**
 * The files that are derived from a page, named by the end of their file name: the text layer as a picture with selectable
 * words, the plain text, the words with their places, and two pictures. Papermerge's OCR writes the same five.
 */
export const sidecarKinds = ['_ocr.svg', '_ocr_hocr.txt', '_ocr_hocr.hocr', '.jpg', '_ocr.jpg'] as const

export type SidecarKind = (typeof sidecarKinds)[number]
