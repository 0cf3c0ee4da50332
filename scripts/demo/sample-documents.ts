import { PDFDocument, StandardFonts } from '@cantoo/pdf-lib'

/** A document of the demo: where it goes, and its versions, each a list of page texts. */
export interface SampleDocument {
  readonly username: string
  /** Titles from the root down; the last one is the document's. */
  readonly path: readonly string[]
  readonly lang: string
  readonly versions: readonly (readonly string[])[]
}

export interface SampleTag {
  readonly username: string
  readonly name: string
  readonly path: string
  readonly bgColor: string
  readonly pinned: boolean
}

export const sampleUsers = [
  { username: 'ada', email: 'ada@example.org', superuser: true },
  { username: 'борис', email: 'boris@example.org', superuser: false },
  { username: '小林', email: '', superuser: false },
] as const

const lease = 'The tenant pays the rent in advance, on the third working day of each month.'

export const sampleDocuments: readonly SampleDocument[] = [
  {
    username: 'ada',
    path: ['.home', 'Taxes', '2024', 'Income tax 2024.pdf'],
    lang: 'eng',
    versions: [
      ['Income tax return 2024', 'Income: to be filled in'],
      ['Income tax return 2024', 'Income: 41,200', 'Deductions: 1,150'],
      ['Income tax return 2024, as sent', 'Income: 41,200', 'Deductions: 1,350'],
    ],
  },
  {
    username: 'ada',
    path: ['.home', 'Taxes', '2025', 'Beleg „Müller & Söhne“.pdf'],
    lang: 'deu',
    versions: [['Rechnung über 119,00 € für einen Bürostuhl']],
  },
  {
    username: 'ada',
    path: ['.home', 'Flat', 'Contracts', '2019 – 2024', 'Signed', 'Lease.pdf'],
    lang: 'eng',
    versions: [[lease, 'The deposit is two months of rent.'], [lease, 'The deposit is three months of rent.', 'Signatures']],
  },
  { username: 'ada', path: ['.home', 'Reports', 'Q1/Q2 report.pdf'], lang: 'eng', versions: [['A slash in the title is a slash.']] },
  { username: 'ada', path: ['.home', 'Names', 'back\\slash.pdf'], lang: 'eng', versions: [['So is a backslash.']] },
  { username: 'ada', path: ['.home', 'Names', `it's "quoted".pdf`], lang: 'eng', versions: [['Quotes of both kinds.']] },
  // The same to the eye, not the same to a computer: composed and decomposed letters.
  { username: 'ada', path: ['.home', 'Names', 'Résumé.pdf'.normalize('NFC')], lang: 'fra', versions: [['Composed letters.']] },
  { username: 'ada', path: ['.home', 'Names', 'Résumé.pdf'.normalize('NFD')], lang: 'fra', versions: [['Decomposed letters.']] },
  { username: 'ada', path: ['.home', 'Names', 'عقد الإيجار.pdf'], lang: 'ara', versions: [['يدفع المستأجر الإيجار مقدمًا.']] },
  { username: 'ada', path: ['.home', 'Names', '📄 👩‍🔬 notes.pdf'], lang: 'eng', versions: [['Emoji, one of them joined of several.']] },
  { username: 'ada', path: ['.inbox', 'scan-0001.pdf'], lang: 'deu', versions: [['', '']] },
  {
    username: 'борис',
    path: ['.home', 'Договоры', 'Аренда.pdf'],
    lang: 'rus',
    versions: [['Договор аренды квартиры'], ['Договор аренды квартиры', 'Подписи сторон']],
  },
  { username: 'борис', path: ['.inbox', 'Счёт за воду.pdf'], lang: 'rus', versions: [['К оплате: 1 240 ₽']] },
  { username: '小林', path: ['.home', '請求書', '2026年', '電気料金.pdf'], lang: 'jpn', versions: [['お支払い金額 8,640円']] },
]

export const sampleTags: readonly SampleTag[] = [
  { username: 'ada', name: 'important', path: 'Taxes/2024/Income tax 2024.pdf', bgColor: '#aa0000', pinned: true },
  { username: 'ada', name: 'important', path: 'Flat', bgColor: '#aa0000', pinned: true },
  { username: 'ada', name: 'à payer', path: 'Taxes/2025', bgColor: '#006633', pinned: false },
  { username: 'ada', name: '🏠', path: 'Flat/Contracts', bgColor: '#334455', pinned: false },
  { username: 'борис', name: 'срочно', path: '.inbox/Счёт за воду.pdf', bgColor: '#cc5500', pinned: true },
  { username: '小林', name: '重要', path: '請求書', bgColor: '#0044aa', pinned: false },
]

/** A real PDF with one page a text. The built-in fonts of PDF know Latin letters only, so others are drawn as a dot. */
export async function makePdf(title: string, pageTexts: readonly string[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  pdf.setTitle(title)
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  for (const [index, text] of pageTexts.entries()) {
    const page = pdf.addPage([595, 842])
    const drawn = text.replaceAll(/[^\x20-\x7e]/g, '.')
    page.drawText(drawn, { x: 60, y: 760, size: 14, font, maxWidth: 470, lineHeight: 20 })
    page.drawText(`Page ${index + 1} of ${pageTexts.length}`, { x: 60, y: 50, size: 9, font })
  }
  return pdf.save()
}
