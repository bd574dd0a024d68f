/** Who may import whom. Run by the test command. */
const contract = '^src/contract/(index|errors)\\.ts$'
const leaves = '^src/lib/|^src/http/problem\\.ts$'

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Also of types: a reader can begin with a file that imports nothing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'contract-stands-alone',
      comment: 'Third parties build on contract/: it imports nothing of ours but itself.',
      severity: 'error',
      from: { path: '^src/contract/' },
      to: { path: '^src/', pathNot: '^src/contract/' },
    },
    {
      name: 'contract-is-one-thing',
      comment: 'Everybody else imports index.ts, and the table of errors.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/contract/' },
      to: { path: '^src/contract/', pathNot: contract },
    },
    {
      name: 'leaves-stay-leaves',
      comment: 'Plugins may use them, and must not pull the engine in.',
      severity: 'error',
      from: { path: leaves },
      to: { path: '^src/', pathNot: [leaves, contract] },
    },
    {
      name: 'plugins-see-the-contract-only',
      comment:
        'A plugin imports the contract, the leaves and files of its own folder; never another plugin or the engine.',
      severity: 'error',
      from: { path: '^src/plugins/([^/]+)/([^/]+)/' },
      to: { path: '^src/', pathNot: [leaves, contract, '^src/plugins/$1/$2/'] },
    },
    {
      name: 'engine-knows-no-plugin',
      severity: 'error',
      from: { path: '^src/(pipeline|ledger|config|dead-letters|tap|http|admin)/' },
      to: { path: '^src/(plugins|commands|sandbox)/' },
    },
    {
      name: 'plugins-are-listed-in-one-place',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(app\\.ts|commands/|plugins/)' },
      to: { path: '^src/plugins/' },
    },
    {
      name: 'kafka-client-in-one-place',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(plugins/sink/kafka|sandbox)/' },
      to: { path: 'node_modules/node-rdkafka' },
    },
    {
      name: 'typebox-by-one-way',
      comment: 'What the build makes one file of, so that a start does not load hundreds.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(sdk|lib/json/pointer)\\.ts$' },
      to: { path: 'node_modules/typebox', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sandbox-is-for-its-commands',
      comment: 'What runs in production never imports the simulators.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(sandbox/|commands/(sandbox|demo))' },
      to: { path: '^src/sandbox/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
