import type { Spool } from '../../std/spool.ts'
import { display } from '../../std/text.ts'
import type { Timestamp } from '../../std/clock.ts'

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
  await out.write(`This is a backup of a document archive.

Made      ${facts.createdAt.slice(0, 19).replace('T', ' ')} UTC by ${facts.writer}
Holds     ${facts.documents} documents in ${facts.versions} versions, in ${facts.folders} folders of ${facts.users} users
In trash  ${facts.trash.documents} documents and ${facts.trash.folders} folders

To find a document
  Open the folder that has the name of its owner. Inside are the same folders as in the
  program; each entry leads to the last version of a document. File managers hide the two
  folders at the top, .home and .inbox: "ls -a" shows them, and so does Ctrl+H in most.
  Every version of every document lies below docs/, whole and as it once came in; what
  was in the trash lies below strongroom/trash/ instead, and in no folder.

To know that nothing is missing or damaged
  In the folder where this archive was unpacked:   sha256sum -c SHA256SUMS
  If there is a file strongroom/damage.json, it names what was lost or damaged before
  this backup was made. Files of 0 bytes stand for what was lost.

To bring everything back
  With Strongroom:       strongroom restore --migrate THIS-FILE.tar.gz
  With Papermerge 2.1:   its own "restore" command reads this file as it is.

All that the database knew stands in backup.json. "docs/archive-format.md" of Strongroom
describes every file of this archive.
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
