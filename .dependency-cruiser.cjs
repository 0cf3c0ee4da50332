/**
 * Who may import whom: the table of docs/architecture.md, row by row. `everyone` is errors.ts, which all may import.
 * test/architecture/import-rules.test.ts shows that these rules refuse what they should.
 */

/** @param {string} from @param {readonly string[]} mayImport @param {string} why */
const room = (from, mayImport, why) => ({
  name: `${from.replace(/\.ts$/, '')}-may-import-only`,
  comment: `${why} It may import: ${['itself', 'errors.ts', ...mayImport].join(', ')}.`,
  severity: 'error',
  from: { path: place(from), pathNot: '[.]test[.]ts$' },
  to: { path: '^src/', pathNot: [from, 'errors.ts', ...mayImport].map(place) },
})

/** @param {string} name */
const place = (name) => (name.endsWith('.ts') ? `^src/${name.replace('.', '[.]')}$` : `^src/${name}/`)

/** @param {string} from @param {string} to @param {string} why */
const noPackages = (from, allowed, why) => ({
  name: `${from}-needs-no-package`,
  comment: why,
  severity: 'error',
  from: { path: place(from), pathNot: '[.]test[.]ts$' },
  to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-no-pkg', 'npm-unknown'], ...allowed },
})

/** @param {string} name @param {readonly string[]} rooms */
const heavyPackage = (name, rooms) => ({
  name: `${name}-has-one-room`,
  comment: `${name} is imported only in ${rooms.join(', ')}, so that it can be replaced there.`,
  severity: 'error',
  from: { path: '^src/', pathNot: [...rooms.map(place), '[.]test[.]ts$'] },
  to: { path: `node_modules/${name}/` },
})

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    { name: 'no-lost-import', comment: 'It must exist.', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'only-listed-packages',
      comment: 'A package that is used stands in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'program-runs-without-dev-packages',
      comment: 'What is shipped must not need what is not.',
      severity: 'error',
      from: { path: '^src/', pathNot: '[.]test[.]ts$' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'nobody-imports-tests-scripts-bench',
      comment: 'They look at the program; the program does not know them.',
      severity: 'error',
      from: { path: '^src/', pathNot: '[.]test[.]ts$' },
      to: { path: ['^(scripts|bench|test)/', '[.]test[.]ts$'] },
    },
    {
      name: 'errors-imports-its-codes-only',
      comment: 'All import it.',
      severity: 'error',
      from: { path: '^src/(errors[.]ts$|error-codes/)' },
      to: { pathNot: '^src/error-codes/' },
    },
    room('std', [], 'It has no opinions.'),
    room('domain', [], 'Laws are tested in microseconds and run in the browser.'),
    noPackages('domain', {}, 'Laws are pure.'),
    room('archive', ['std'], 'The format outlives the code.'),
    room('config.ts', ['std'], 'Read once, then frozen.'),
    room('contract', ['domain'], 'It crosses the wire.'),
    noPackages('contract', { pathNot: 'node_modules/zod/' }, 'It runs in the browser.'),
    room('database', ['domain', 'std'], 'Rows know no bytes.'),
    {
      name: 'migrations-know-the-query-builder-only',
      comment:
        'A released migration must not change with the code around it; the dialect differences stand in one place.',
      severity: 'error',
      from: { path: '^src/database/migrations/', pathNot: '[.]test[.]ts$' },
      to: { path: '^src/', pathNot: ['^src/database/migrations/', '^src/database/dialect[.]ts$'] },
    },
    room('media', ['domain', 'std'], 'Bytes know no rows.'),
    room('reading', ['std'], 'What looks into files is replaceable.'),
    room('services', ['contract', 'domain', 'database', 'media', 'std'], 'One sentence a verb.'),
    room(
      'operations',
      ['contract', 'domain', 'database', 'media', 'archive', 'reading', 'services', 'std'],
      'The caretaker builds on the daily verbs.',
    ),
    room('cli', ['contract', 'services', 'operations', 'domain', 'std', 'app.ts'], 'A door holds no furniture.'),
    {
      name: 'cli-knows-app-as-a-type-only',
      comment: 'Loading the program is the business of main.ts, so that --help is quick.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '[.]test[.]ts$' },
      to: { path: '^src/app[.]ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'app-is-no-door',
      comment: 'The composition root knows all rooms but the doors.',
      severity: 'error',
      from: { path: '^src/app[.]ts$' },
      to: { path: ['^src/cli/', '^src/main[.]ts$'] },
    },
    {
      name: 'nobody-imports-main',
      comment: 'It runs when it is imported.',
      severity: 'error',
      from: {},
      to: { path: '^src/main[.]ts$' },
    },
    room('main.ts', ['cli', 'app.ts', 'config.ts', 'std'], 'It only starts and ends.'),
    heavyPackage('@embedpdf/pdfium', ['reading']),
    heavyPackage('pg', ['database']),
    heavyPackage('kysely', ['database', 'services', 'operations']),
    heavyPackage('age-encryption', ['std']),
    heavyPackage('commander', ['cli']),
    heavyPackage('cli-progress', ['cli']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
