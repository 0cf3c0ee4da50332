import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { batchesOf } from '../src/std/batches.ts'
import { createChance, scannedPdf, svgOf, textOf } from './corpus.ts'
import { type Measured, measure, median, type Place, quote, strongroom } from './measure.ts'
import { sizesByKind } from './sizes.ts'

export interface SpeedOptions {
  /** Roughly the size of the corpus. */
  readonly megabytes: number
  readonly rounds: number
}

/**
 * Fills an instance with scanned PDFs, their text layers and one large file, and measures backup, verify and restore against
 * other programs on the same files, in turns. Prints tables; gives whether all outputs were right.
 */
export async function measureSpeed({ megabytes, rounds }: SpeedOptions): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-speed-'))
  try {
    const source: Place = { data: join(folder, 'source') }
    await fill(source, megabytes)
    const backups = await compareBackups(folder, source, rounds)
    const reading = await compareReading(folder, source, rounds)
    console.log('\nsize against gzip -6            and the share of the bytes that went out in stored blocks')
    for (const { kind, ratio: size, stored } of await sizesByKind(folder)) {
      console.log(`${kind.padEnd(34)} ${size.toFixed(4)}  ${(100 * stored).toFixed(0).padStart(3)} %`)
    }
    return backups && reading
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Contender {
  readonly name: string
  readonly command: string
  /** What it writes. */
  readonly output: string
  /** A command line that fails where the output is not right. */
  readonly check: string
  readonly needs?: string
}

async function compareBackups(folder: string, source: Place, rounds: number): Promise<boolean> {
  const at = (name: string): string => join(folder, name)
  const files = quote(join(source.data, 'media'))
  const tarred = (name: string, file: string, filter: string, flag: string, needs?: string): Contender => ({
    name,
    command: `tar c -C ${files} . ${filter} > ${quote(at(file))} && sync ${quote(at(file))}`,
    output: at(file),
    check: `tar d${flag} -f ${quote(at(file))} -C ${files}`,
    ...(needs === undefined ? {} : { needs }),
  })
  const verified = (name: string, file: string, ...options: string[]): Contender => ({
    name,
    command: strongroom(source, 'backup', '--overwrite', ...options, at(file)),
    output: at(file),
    check: `gzip -t ${quote(at(file))} && ${strongroom(source, 'verify', at(file))}`,
  })
  const python = `python3 -c 'import sys,tarfile; t=tarfile.open(sys.argv[2],"w:gz"); t.add(sys.argv[1],"."); t.close()'`
  const contenders: readonly Contender[] = [
    tarred('tar + gzip -6', 'gzip.tar.gz', '| gzip -6', 'z'),
    verified('backup --no-verify', 'unread.tar.gz', '--no-verify'),
    tarred('tar', 'plain.tar', '', ''),
    verified('backup, read back', 'archive.tar.gz'),
    tarred('tar + pigz -6', 'pigz.tar.gz', '| pigz -6', 'z', 'pigz'),
    tarred('tar + zstd -3 -T2', 'tar.zst', '| zstd -q -3 -T2', ' --zstd', 'zstd'),
    {
      ...tarred('python3 tarfile w:gz', 'python.tar.gz', '', 'z', 'python3'),
      // Its times have parts of a second that tar calls a difference.
      check: `mkdir ${quote(at('python'))} && tar xzf ${quote(at('python.tar.gz'))} -C ${quote(at('python'))} && diff -r ${quote(at('python'))} ${files}`,
      command: `${python} ${files} ${quote(at('python.tar.gz'))} && sync ${quote(at('python.tar.gz'))}`,
    },
    {
      name: 'zip -6',
      command: `rm -f ${quote(at('files.zip'))}; cd ${files} && zip -q -r ${quote(at('files.zip'))} . && sync ${quote(at('files.zip'))}`,
      output: at('files.zip'),
      check: `zip -T -q ${quote(at('files.zip'))}`,
      needs: 'zip',
    },
    {
      name: 'restic',
      command: `rm -rf ${quote(at('restic'))}; RESTIC_PASSWORD=bench; export RESTIC_PASSWORD; restic -q init -r ${quote(at('restic'))} && restic -q backup -r ${quote(at('restic'))} ${files} && sync`,
      output: at('restic'),
      check: `RESTIC_PASSWORD=bench restic -q check -r ${quote(at('restic'))}`,
      needs: 'restic',
    },
    {
      name: 'borg',
      command: `rm -rf ${quote(at('borg'))}; borg init -e none ${quote(at('borg'))} && borg create ${quote(at('borg'))}::one ${files} && sync`,
      output: at('borg'),
      check: `borg check ${quote(at('borg'))}`,
      needs: 'borg',
    },
  ]
  const { results, right } = await inTurns(contenders, rounds)
  const [gzip] = contenders
  const sizeOf = async (contender: Contender): Promise<number> =>
    Number(spawnSync('du', ['-sb', contender.output], { encoding: 'utf8' }).stdout.split('\t')[0])
  console.log(`\n${'backup'.padEnd(24)}    wall s   CPU s      MB  peak MB  wall/gzip  CPU/gzip  size/gzip  wall/tar`)
  for (const contender of contenders) {
    const runs = results.get(contender.name)
    if (runs === undefined) continue
    const against = (other: string, value: (run: Measured) => number): string => ratio(runs, results.get(other)!, value)
    const bytes = await sizeOf(contender)
    console.log(
      [
        contender.name.padEnd(24),
        median(runs.map((run) => run.seconds))
          .toFixed(2)
          .padStart(9),
        median(runs.map((run) => run.cpuSeconds))
          .toFixed(2)
          .padStart(7),
        (bytes / 1e6).toFixed(1).padStart(7),
        Math.max(...runs.map((run) => run.peakMegabytes))
          .toFixed(0)
          .padStart(8),
        against('tar + gzip -6', (run) => run.seconds).padStart(10),
        against('tar + gzip -6', (run) => run.cpuSeconds).padStart(9),
        (bytes / (await sizeOf(gzip!))).toFixed(4).padStart(10),
        against('tar', (run) => run.seconds).padStart(9),
      ].join(' '),
    )
  }
  return right
}

async function compareReading(folder: string, source: Place, rounds: number): Promise<boolean> {
  const at = (name: string): string => join(folder, name)
  const [archive, gzip] = [at('archive.tar.gz'), at('gzip.tar.gz')]
  const target: Place = { data: at('target') }
  const unpacked = at('unpacked')
  const same = `test "$(${strongroom(source, 'tree', '--text', '--json')} | sha256sum)" = "$(${strongroom(target, 'tree', '--text', '--json')} | sha256sum)"`
  const { results, right } = await inTurns(
    [
      { name: 'gzip -t', command: `gzip -t ${quote(gzip)}`, output: gzip, check: 'true' },
      { name: 'verify', command: strongroom(source, 'verify', archive), output: archive, check: 'true' },
      {
        name: 'tar xzf + sync',
        command: `rm -rf ${quote(unpacked)}; mkdir ${quote(unpacked)} && tar xzf ${quote(gzip)} -C ${quote(unpacked)} && sync -f ${quote(unpacked)}`,
        output: unpacked,
        check: `diff -r ${quote(unpacked)} ${quote(join(source.data, 'media'))}`,
      },
      {
        name: 'restore',
        command: `rm -rf ${quote(target.data)}; ${strongroom(target, 'restore', '--migrate', archive)}`,
        output: target.data,
        check: same,
      },
    ],
    rounds,
  )
  console.log(`\n${'reading'.padEnd(24)}    wall s   CPU s  peak MB      wall       CPU`)
  for (const [name, other] of [
    ['gzip -t', 'gzip -t'],
    ['verify', 'gzip -t'],
    ['tar xzf + sync', 'tar xzf + sync'],
    ['restore', 'tar xzf + sync'],
  ] as const) {
    const runs = results.get(name)!
    console.log(
      [
        name.padEnd(24),
        median(runs.map((run) => run.seconds))
          .toFixed(2)
          .padStart(9),
        median(runs.map((run) => run.cpuSeconds))
          .toFixed(2)
          .padStart(7),
        Math.max(...runs.map((run) => run.peakMegabytes))
          .toFixed(0)
          .padStart(8),
        ratio(runs, results.get(other)!, (run) => run.seconds).padStart(9),
        ratio(runs, results.get(other)!, (run) => run.cpuSeconds).padStart(9),
        name === other ? '' : ` against ${other}`,
      ].join(' '),
    )
  }
  return right
}

/** The median of the ratios round by round: what disturbs the machine disturbs both of a round. */
function ratio(runs: readonly Measured[], others: readonly Measured[], value: (run: Measured) => number): string {
  return median(runs.map((run, round) => value(run) / value(others[round]!))).toFixed(3)
}

/** Runs each once a round, one after the other, and checks the last output of each. */
async function inTurns(
  contenders: readonly Contender[],
  rounds: number,
): Promise<{ readonly results: ReadonlyMap<string, Measured[]>; readonly right: boolean }> {
  let right = true
  const present = contenders.filter(({ name, needs }) => {
    const found = needs === undefined || spawnSync(needs, ['--version'], { stdio: 'ignore' }).error === undefined
    if (!found) console.log(`${name}: skipped, it is not installed`)
    return found
  })
  const results = new Map(present.map(({ name }) => [name, [] as Measured[]]))
  // One round more, which fills the caches and does not count.
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, command } of round < 0 ? present.slice(0, 2) : present) {
      const measured = await measure(command)
      if (round >= 0) results.get(name)!.push(measured)
    }
  }
  for (const { name, check } of present) {
    await measure(check).catch((error: unknown) => {
      console.log(`${name}: its output is WRONG: ${String(error)}`)
      right = false
    })
  }
  return { results, right }
}

/** In the shares of the corpus of 1.5 GB that the limits were measured on: 3,000 scans, 6,000 text layers, 200 MB in one file. */
async function fill(source: Place, megabytes: number): Promise<void> {
  const scans = Math.max(20, Math.round(megabytes * 2))
  const largeMegabytes = Math.round(megabytes * 0.13)
  const app = createApp(readConfig({}, { data: source.data, database: undefined }, process.cwd()))
  await app.migrate()
  await using instance = await app.open({ access: 'write', command: 'bench' })
  const userId = await instance.users.add({ username: 'bench', password: null })
  const parentId = await instance.nodes.makeFolder({ username: 'bench', path: '.home/Scans', parents: false })
  const common = { userId, parentId, mediaType: 'application/pdf' } as const
  for (const batch of batchesOf(
    Array.from({ length: scans }, (_, number) => number),
    20,
  )) {
    await instance.documents.storeAll(
      await Promise.all(
        batch.map(async (number) => {
          const chance = createChance(number)
          const pdf = await scannedPdf(chance, 200_000 + chance.below(400_000))
          const text = textOf(chance, 1000 + chance.below(19_000))
          const svg = svgOf(chance, 1000 + chance.below(19_000))
          return {
            ...common,
            title: `Scan ${number}.pdf`,
            fileName: `scan ${number}.pdf`,
            bytes: once(pdf),
            pageCount: 1,
            pages: [{ text: text.slice(0, 1500) }],
            sidecars: [
              { pageNumber: 1, kind: '_ocr.svg' as const, bytes: once(Buffer.from(svg)) },
              { pageNumber: 1, kind: '_ocr_hocr.txt' as const, bytes: once(Buffer.from(text)) },
            ],
          }
        }),
      ),
    )
  }
  const large = createChance(scans)
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for (let number = 0; number < largeMegabytes; number += 1) yield large.bytes(1_000_000)
  }
  await instance.documents.storeAll([
    { ...common, title: 'Large.pdf', fileName: 'large.pdf', bytes: bytes(), pageCount: null },
  ])
  console.log(
    `${scans} scanned PDFs of 200 to 600 KB, ${2 * scans} text layers of 1 to 20 KB, one file of ${largeMegabytes} MB`,
  )
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
