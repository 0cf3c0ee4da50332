import { join } from 'node:path'
import { makeArchive, madeDocumentId } from '../test/support/made-archive.ts'
import type { Compared } from './backups.ts'
import { median, type Place, quote, strongroom } from './measure.ts'
import { say, sayTable } from './report.ts'
import { type Contender, cpu, inTurns, peak, ratio, wall } from './rounds.ts'

const [verify, restore, one, start] = ['verify', 'restore', 'extract, one document', 'extract, three documents in all']
const [gzipTest, unpack] = ['gzip -t', 'tar xzf + sync']

/** Reads what `compareBackups` left in `folder` beside other programs. */
export async function compareReadings(
  folder: string,
  source: Place,
  { documentId, rounds }: { readonly documentId: string; readonly rounds: number },
): Promise<Compared> {
  const at = (name: string): string => quote(join(folder, name))
  const [archive, small] = [join(folder, 'archive.tar.gz'), join(folder, 'small.tar.gz')]
  await makeArchive(small, folder, { documents: 3, documentBytes: 10_000, pages: 1 })
  const target: Place = { data: join(folder, 'target') }
  /** Not removed: some file systems take ten times as long to make files for minutes after many were. */
  const putAside = (name: string): string => `test ! -e ${at(name)} || mv ${at(name)} ${at(name)}.$$;`
  const tree = (place: Place): string => `$(${strongroom(place, 'tree', '--text', '--json')} | sha256sum)`
  const extracted = (name: string, from: string, id: string, check: string): Contender => ({
    name,
    command: `${strongroom(source, 'extract', '--document', id, '--to', '-', from)} > ${at('one')}`,
    output: join(folder, 'one'),
    check,
  })
  const { results, right } = await inTurns(
    [
      { name: gzipTest, command: `gzip -t ${at('gzip.tar.gz')}`, output: archive, check: 'true' },
      { name: verify, command: strongroom(source, 'verify', archive), output: archive, check: 'true' },
      {
        name: unpack,
        command: `${putAside('unpacked')} mkdir ${at('unpacked')} && tar xzf ${at('gzip.tar.gz')} -C ${at('unpacked')} && sync -f ${at('unpacked')}`,
        output: join(folder, 'unpacked'),
        check: `diff -r ${at('unpacked')} ${quote(join(source.data, 'media'))}`,
      },
      {
        name: restore,
        command: `${putAside('target')} ${strongroom(target, 'restore', '--migrate', archive)}`,
        output: target.data,
        check: `test "${tree(source)}" = "${tree(target)}"`,
      },
      extracted(start, small, madeDocumentId(2), 'true'),
      extracted(
        one,
        archive,
        documentId,
        `cmp ${at('one')} ${quote(join(source.data, 'media'))}/docs/*/document_${documentId}/v1/*`,
      ),
    ],
    rounds,
  )
  say()
  const others = new Map([
    [verify, gzipTest],
    [restore, unpack],
    [one, verify],
  ])
  sayTable(
    ['reading', 'wall s', 'CPU s', 'peak MB', 'wall', 'CPU', 'against'],
    [...results.values()].map((result) => {
      const { name } = result.contender
      const other = results.get(others.get(name) ?? name)!
      return [
        name,
        median(result.runs.map(wall)).toFixed(2),
        median(result.runs.map(cpu)).toFixed(2),
        peak(result).toFixed(0),
        ratio(result, other, wall).toFixed(3),
        ratio(result, other, cpu).toFixed(3),
        others.get(name) ?? '',
      ]
    }),
  )
  const against = (name: string, other: string): number => ratio(results.get(name)!, results.get(other)!, wall)
  const seconds = (name: string): number => median(results.get(name)!.runs.map(wall))
  const scan = seconds(verify) - seconds(start)
  return {
    figures: [
      { name: `verify, wall, against ${gzipTest}`, limit: 'verify', measured: against(verify, gzipTest) },
      { name: `restore, wall, against ${unpack}`, limit: 'restore', measured: against(restore, unpack) },
      { name: 'one document, wall, against verify', limit: 'oneDocument', measured: against(one, verify) },
      {
        name: 'the same without the time of a tiny archive',
        limit: 'oneDocument',
        measured: scan < 1 ? 'the corpus is too small' : Math.max(0, seconds(one) - seconds(start)) / scan,
      },
    ],
    peaks: [verify, restore, one].map((name) => peak(results.get(name)!)),
    right,
  }
}
