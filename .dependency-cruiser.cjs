/** Who may import whom. Run by the test command. */
const leaves =
  '^src/(plugin|errors|units|regex|ecma-regex|regex-search|text-search|budget)\\.ts$|^src/json/|^src/http/problem\\.ts$'

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contract-stands-alone',
      comment:
        'contract/ and errors.ts are what third parties build on: they import nothing of ours but each other.',
      severity: 'error',
      from: { path: '^src/contract/|^src/(plugin|errors)\\.ts$' },
      to: { path: '^src/', pathNot: '^src/contract/|^src/errors\\.ts$' },
    },
    {
      name: 'contract-is-one-thing',
      comment: 'How it lies in files is its own business: everybody else imports plugin.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/contract/|^src/plugin\\.ts$' },
      to: { path: '^src/contract/' },
    },
    {
      name: 'leaves-stay-leaves',
      comment: 'What plugins may use must not pull the engine in.',
      severity: 'error',
      from: {
        path: '^src/(units|regex|ecma-regex|regex-search|text-search|budget)\\.ts$|^src/json/|^src/http/problem\\.ts$',
      },
      to: { path: '^src/', pathNot: leaves },
    },
    {
      name: 'plugins-see-the-contract-only',
      comment:
        'A plugin imports the contract, the leaves and files of its own folder; never another plugin or the engine.',
      severity: 'error',
      from: { path: '^src/plugins/([^/]+)/([^/]+)/' },
      to: { path: '^src/', pathNot: [leaves, '^src/plugins/$1/$2/'] },
    },
    {
      name: 'engine-knows-no-plugin',
      severity: 'error',
      from: { path: '^src/(pipeline|http|admin)/' },
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
      from: { path: '^src/', pathNot: '^src/(authoring|json/type)\\.ts$' },
      to: { path: 'node_modules/typebox', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sandbox-is-for-its-command',
      comment: 'What runs in production never imports the simulators.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(sandbox/|commands/sandbox)' },
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
