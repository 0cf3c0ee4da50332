import { Option } from 'commander'
import type { Command } from 'commander'
import type { BackupReport } from '../../contract/backup-report.ts'
import { StrongroomError } from '../../errors.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted } from '../units.ts'
import { encryptionOf, withEncryption, type EncryptOptions } from './archive-key.ts'
import { example } from './example.ts'

interface BackupOptions extends EncryptOptions {
  readonly overwrite?: boolean
  readonly verify: boolean
  readonly links: 'symbolic' | 'hard'
}

export function addBackup(program: Command, session: Session): void {
  const command = program
    .command('backup')
    .summary('write the whole instance into one archive')
    .description(
      'Writes one .tar.gz with everything that the instance holds, reads it back and proves it, and only then puts it in place. People may go on working meanwhile.',
    )
    .argument(
      '[location]',
      'a folder (made if it ends in /), a file, or - for standard output (default: the current folder)',
    )
    .option('--overwrite', 'replace the file if it exists')
    .option('--no-verify', 'do not read the archive back')
  withEncryption(command)
    .addOption(
      new Option('--links <kind>', 'how a user folder points to its documents; hard is for 7-Zip and Windows')
        .choices(['symbolic', 'hard'])
        .default('symbolic'),
    )
    .addHelpText(
      'after',
      example(
        'strongroom backup /mnt/backups/',
        'strongroom backup - | ssh nas "cat > strongroom.tar.gz"',
        'strongroom backup /mnt/backups/ --recipients-file ~/backup-keys.txt',
      ),
    )
    .action(async (location: string | undefined, options: BackupOptions) => {
      const { overwrite = false, verify, links } = options
      const toOutput = location === '-'
      if (toOutput && session.json) {
        throw new StrongroomError('usage.invalid', {
          command: 'backup',
          reason: 'Standard output cannot carry the archive and the JSON report.',
        })
      }
      const target = toOutput ? { stdout: session.terminal.stdout } : { location: placeOf(location ?? './') }
      const encryption = await encryptionOf(options, session)
      const encrypted = encryption === undefined ? {} : { encryption }
      const report = await session.withInstance('own', 'backup', ({ backup }) =>
        session.withProgress((onProgress) =>
          backup({ ...target, ...encrypted, overwrite, verify, links }, onProgress, session.signal),
        ),
      )
      await session.report(report, () => (toOutput ? [] : backupLines(report)))
    })

  /** The slash that asks for a folder stays. */
  function placeOf(typed: string): string {
    const path = session.path(typed)
    return typed.endsWith('/') && !path.endsWith('/') ? `${path}/` : path
  }
}

function backupLines(report: BackupReport): string[] {
  const { users, folders, documents, versions, tags, trash, bytes, renamed } = report
  const holds = [
    counted(users, 'user'),
    counted(folders, 'folder'),
    counted(documents, 'document'),
    counted(versions, 'version'),
  ]
  return columns([
    ['Archive', `${display(report.archive)}, ${bytesText(report.archiveBytes)}`],
    ['Shows', `the instance at ${report.created}`],
    ['Holds', `${holds.join(', ')}, ${counted(tags, 'tag')}, ${bytesText(bytes)} of files`],
    ['In the trash', `${counted(trash.folders, 'folder')}, ${counted(trash.documents, 'document')}`],
    ...(report.encrypted ? [['Encrypted', 'yes, as age does it']] : []),
    ['Proved', report.verified ? 'yes, it was read back' : 'no, it was not read back'],
    ...(renamed === 0
      ? []
      : [['In Papermerge', `${counted(renamed, 'name')} would look different; README.txt in the archive lists them`]]),
  ])
}
