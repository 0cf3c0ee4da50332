import type { Spool } from '../../std/spool.ts'
import type { Timestamp } from '../../std/clock.ts'
import { display } from '../../std/text.ts'
import { counted, momentText } from './plain-words.ts'

export interface ReadmeFacts {
  readonly createdAt: Timestamp
  readonly writer: string
  readonly users: number
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly trash: { readonly folders: number; readonly documents: number }
}

interface Renamed {
  readonly name: string
  readonly shown: string
}

/** How many renamed tags and titles are listed; all users are, as their logins change. */
const mostListed = 1000

/** Remembers what Papermerge will show under another name. */
export function createRenamedList() {
  const listed: Record<'user' | 'tag' | 'title', Renamed[]> = { user: [], tag: [], title: [] }
  let count = 0
  return {
    get count() {
      return count
    },
    listed,
    add(kind: 'user' | 'tag' | 'title', name: string, shown: string): void {
      count += 1
      if (kind === 'user' || listed[kind].length < mostListed) listed[kind].push({ name, shown })
    },
  }
}

export type RenamedList = ReturnType<typeof createRenamedList>

/** Writes README.txt: what this archive is, for somebody who has nothing but it. */
export async function writeReadme(out: Spool, facts: ReadmeFacts, renamed: RenamedList): Promise<void> {
  const { documents, versions, folders, users, trash } = facts
  await out.write(`This is a backup of a document archive. It was made on ${momentText(facts.createdAt)}
by ${facts.writer}, and holds
  ${counted(documents, 'document')} in ${counted(versions, 'version')}, in ${counted(folders, 'folder')} of ${counted(users, 'person', 'people')}
  ${trash.documents + trash.folders === 0 ? 'nothing' : `${counted(trash.documents, 'document')} and ${counted(trash.folders, 'folder')}`} in the trash

To read the documents
  1. Unpack the whole archive, if you have not yet. On Linux, macOS and Windows 10 or later,
     in a terminal:   tar -xf ARCHIVE.tar.gz
  2. Open index.html in a browser. It lists and searches all documents, opens them, and says
     if any were lost. It works without a network, and it works where your system could not
     make some of the links below.

To copy them, or to look without a browser
  The folder that has the name of a person holds the same folders as the program did; each
  entry leads to the last version of a document. File managers hide the two folders at the
  top, .home and .inbox: press Ctrl+H (Linux) or Cmd+Shift+. (macOS), or use "ls -a".
  All versions of all documents lie below docs/, each exactly as it once came in. What was
  in the trash lies below strongroom/trash/ instead, and is in no folder and no list.

To be sure that nothing is missing or damaged
  In the folder where you unpacked the archive:   sha256sum --quiet -c SHA256SUMS
  It prints nothing if all is well (macOS: shasum -a 256 -c SHA256SUMS).
  What had been lost or damaged before this backup was made is named in index.html, and in
  strongroom/damage.json. If there is no such file, nothing had been. A lost document has a
  file of 0 bytes in its place; an older backup may still hold it.

To bring everything back into a program
  Strongroom:       strongroom restore --migrate ARCHIVE.tar.gz
  Papermerge 2.1:   its own "restore" command reads the archive as it is.

Keep the archive itself, not only what you unpacked: a program restores the archive alone.
Whoever has it can read every document, so keep it safe. backup.json holds all that the
database knew; "docs/archive-format.md" of Strongroom describes each file.
`)
  await writeList(
    out,
    'Users who log in to Papermerge under another name',
    renamed.listed.user,
    renamed.listed.user.length,
  )
  await writeList(out, 'Tags that Papermerge shows under another name', renamed.listed.tag, mostListed)
  await writeList(out, 'Titles that Papermerge shows in another form', renamed.listed.title, mostListed)
}

async function writeList(out: Spool, heading: string, renamed: readonly Renamed[], limit: number): Promise<void> {
  if (renamed.length === 0) return
  await out.write(`\n${heading}\n`)
  for (const { name, shown } of renamed) await out.write(`  ${display(name)}  ->  ${display(shown)}\n`)
  if (renamed.length === limit && limit === mostListed) await out.write(`  These are the first ${mostListed}.\n`)
}
