import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { Figure } from './limits.ts'
import { median, type Place, quote, strongroom } from './measure.ts'
import { say, sayTable } from './report.ts'
import { type Contender, cpu, inTurns, peak, ratio, type Results, wall } from './rounds.ts'

const [gzip, tar, backup, unread, encrypted] = [
  'tar + gzip -6',
  'tar',
  'backup',
  'backup --no-verify',
  'backup --recipient',
]

export interface Compared {
  readonly figures: readonly Figure[]
  readonly peaks: readonly number[]
  /** Whether all outputs were right. */
  readonly right: boolean
}

export interface Comparison {
  readonly rounds: number
  /** Whether the programs run too that no figure asks for. */
  readonly everybody: boolean
}

/** Backs an instance up beside other programs on the same files. `archive.tar.gz` and `gzip.tar.gz` stay in `folder`. */
export async function compareBackups(
  folder: string,
  source: Place,
  { rounds, everybody }: Comparison,
): Promise<Compared> {
  const identity = await generateX25519Identity()
  await writeFile(join(folder, 'key.txt'), `${identity}\n`, { mode: 0o600 })
  const recipient = await identityToRecipient(identity)
  const files = join(source.data, 'media')
  const others = peers(folder, files).filter(({ aside }) => everybody || aside !== true)
  const { results, right } = await inTurns([...ours(folder, source, recipient), ...others], rounds)
  sayResults(results)
  const against = (name: string, other: string, value = wall): number =>
    ratio(results.get(name)!, results.get(other)!, value)
  return {
    figures: [
      ...[unread, backup].flatMap((name): Figure[] => [
        { name: `${name}, wall, against ${gzip}`, limit: 'backupWall', measured: against(name, gzip) },
        { name: `${name}, wall, against ${tar}`, limit: 'backupWallAgainstTar', measured: against(name, tar) },
        { name: `${name}, CPU, against ${gzip}`, limit: 'backupCpu', measured: against(name, gzip, cpu) },
      ]),
      { name: `${encrypted}, wall, against ${backup}`, limit: 'encrypted', measured: against(encrypted, backup) },
      {
        name: 'size of the whole corpus against gzip -6',
        limit: 'size',
        measured: results.get(backup)!.megabytes / results.get(gzip)!.megabytes,
      },
    ],
    peaks: [backup, unread, encrypted].map((name) => peak(results.get(name)!)),
    right,
  }
}

function ours(folder: string, source: Place, recipient: string): Contender[] {
  const at = (name: string): string => join(folder, name)
  const one = (name: string, file: string, options: readonly string[], keys: readonly string[] = []): Contender => ({
    name,
    command: strongroom(source, 'backup', '--overwrite', ...options, at(file)),
    output: at(file),
    check: strongroom(source, 'verify', ...keys, at(file)),
  })
  return [
    one(backup, 'archive.tar.gz', []),
    one(unread, 'unread.tar.gz', ['--no-verify']),
    one(encrypted, 'sealed.tar.gz.age', ['--recipient', recipient], ['--key-file', at('key.txt')]),
  ]
}

/** What is written to disk is synced by each of them. */
function peers(folder: string, files: string): Contender[] {
  const at = (name: string): string => quote(join(folder, name))
  const media = quote(files)
  const tarred = (name: string, file: string, filter: string, flag: string): Contender => ({
    name,
    command: `tar c -C ${media} . ${filter} > ${at(file)} && sync ${at(file)}`,
    output: join(folder, file),
    check: `tar d${flag} -f ${at(file)} -C ${media}`,
  })
  const filtered = (program: string, options: string, file: string, flag: string): Contender => ({
    ...tarred(`tar + ${program} ${options}`, file, `| ${program} ${options}`, flag),
    needs: program,
    aside: true,
  })
  const python = `python3 -c 'import sys,tarfile; t=tarfile.open(sys.argv[2],"w:gz"); t.add(sys.argv[1],"."); t.close()'`
  const repository = (name: string, command: string, check: string): Contender => ({
    name,
    command: `rm -rf ${at(name)}; ${command} && sync -f ${at(name)}`,
    output: join(folder, name),
    check,
    needs: name,
    aside: true,
  })
  const secret = 'RESTIC_PASSWORD=bench restic -q --no-cache'
  return [
    tarred(gzip, 'gzip.tar.gz', '| gzip -6', 'z'),
    tarred(tar, 'plain.tar', '', ''),
    filtered('pigz', '-6', 'pigz.tar.gz', 'z'),
    filtered('zstd', '-q -3 -T2', 'tar.zst', ' --zstd'),
    {
      ...tarred('Python tarfile w:gz', 'python.tar.gz', '', 'z'),
      command: `${python} ${media} ${at('python.tar.gz')} && sync ${at('python.tar.gz')}`,
      // Its times have parts of a second that tar calls a difference.
      check: `mkdir ${at('python')} && tar xzf ${at('python.tar.gz')} -C ${at('python')} && diff -r ${at('python')} ${media} && rm -r ${at('python')}`,
      needs: 'python3',
      aside: true,
    },
    {
      name: 'zip -6',
      command: `rm -f ${at('files.zip')}; cd ${media} && zip -q -r ${at('files.zip')} . && sync ${at('files.zip')}`,
      output: join(folder, 'files.zip'),
      check: `zip -T -q ${at('files.zip')}`,
      needs: 'zip',
      aside: true,
    },
    repository(
      'restic',
      `${secret} init -r ${at('restic')} && ${secret} backup -r ${at('restic')} ${media}`,
      `${secret} check --read-data -r ${at('restic')}`,
    ),
    repository(
      'borg',
      `BORG_BASE_DIR=${at('borg-home')} borg init -e none ${at('borg')} && BORG_BASE_DIR=${at('borg-home')} borg create ${at('borg')}::one ${media}`,
      `BORG_BASE_DIR=${at('borg-home')} borg check --verify-data ${at('borg')}`,
    ),
  ]
}

function sayResults(results: Results): void {
  say()
  sayTable(
    ['backup', 'wall s', 'CPU s', 'MB', 'peak MB', 'wall/gzip', 'CPU/gzip', 'size/gzip', 'wall/tar'],
    [...results.values()].map((result) => [
      result.contender.name,
      median(result.runs.map(wall)).toFixed(2),
      median(result.runs.map(cpu)).toFixed(2),
      result.megabytes.toFixed(1),
      peak(result).toFixed(0),
      ratio(result, results.get(gzip)!, wall).toFixed(3),
      ratio(result, results.get(gzip)!, cpu).toFixed(3),
      (result.megabytes / results.get(gzip)!.megabytes).toFixed(4),
      ratio(result, results.get(tar)!, wall).toFixed(2),
    ]),
  )
}
