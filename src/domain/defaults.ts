/** What a tag looks like where nobody chose, as in Papermerge. */
export const defaultTagColors = { background: '#c41fff', foreground: '#FFFFFF' } as const

/** The language of a document where nobody chose, ISO 639-3, as in Papermerge. */
export const defaultLanguage = 'deu'
