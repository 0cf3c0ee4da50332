import { Option } from 'commander'
import type { Command } from 'commander'
import { StrongroomError } from '../../errors.ts'
import type { Session } from '../session.ts'
import { example } from './example.ts'
import { facts } from './facts.ts'

interface BackupOptions {
  readonly overwrite?: boolean
  readonly verify: boolean
  readonly links: 'symbolic' | 'hard'
}

export function addBackup(program: Command, session: Session): void {
  program
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
    .addOption(
      new Option('--links <kind>', 'how a user folder points to its documents; hard is for 7-Zip and Windows')
        .choices(['symbolic', 'hard'])
        .default('symbolic'),
    )
    .addHelpText(
      'after',
      example('strongroom backup /mnt/backups/', 'strongroom backup - | ssh nas "cat > strongroom.tar.gz"'),
    )
    .action(async (location: string | undefined, { overwrite = false, verify, links }: BackupOptions) => {
      const toOutput = location === '-'
      if (toOutput && session.json) {
        throw new StrongroomError('usage.invalid', {
          command: 'backup',
          reason: 'Standard output cannot carry the archive and the JSON report.',
        })
      }
      const target = toOutput ? { stdout: session.terminal.stdout } : { location: placeOf(location ?? './') }
      const report = await session.withInstance('read', 'backup', async ({ backup }) => {
        using progress = await session.progress()
        return await backup({ ...target, overwrite, verify, links }, progress.onProgress, session.signal)
      })
      await session.report(report, () => (toOutput ? [] : facts(report)))
    })

  /** The slash that asks for a folder stays. */
  function placeOf(typed: string): string {
    const path = session.path(typed)
    return typed.endsWith('/') && !path.endsWith('/') ? `${path}/` : path
  }
}
