import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { loadPlugins } from '../../src/config/load-plugins.js'
import { loadingFailure } from '../../src/config/plugin-package.js'
import { type ReadResult, readConfig } from '../../src/config/read.js'
import { temporaryDirectory } from '../helpers/context.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

const { definitions } = inlinePlugins()

/** A plugin as an author without types would write it. */
const plugin = (name = 'mask', kind = 'transform', more = '') => `{
  kind: '${kind}',
  name: '${name}',
  summary: 'Masks.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: { with: { type: 'string', default: '***', description: 'What stands there instead.' } },
  },
  create: () => ({ apply: (event) => ({ kind: 'pass', event }) }),
  ${more}
}`

const named = (name: string, ...more: string[]) =>
  inlineConfig({
    transforms: [{ plugin: 'everything' }, ...[name, ...more].map((plugin) => ({ plugin }))],
  })

async function read(text: string, files: { [path: string]: string }, environment = {}) {
  const cwd = temporaryDirectory({ 'etc/plugins.config.json': text, ...files })
  return readIn(cwd, environment)
}

async function readIn(cwd: string, environment = {}): Promise<ReadResult> {
  const path = join(cwd, 'etc/plugins.config.json')
  const external = await loadPlugins(path, definitions)
  return readConfig(path, { plugins: definitions, external, environment, exposed: false, cwd })
}

const problemOf = async (text: string, files = {}, environment = {}) => {
  const result = await read(text, files, environment)
  if (result.ok) throw new Error('nothing is wrong with it')
  expect(result.problems).toHaveLength(1)
  return result.problems[0]
}

const loaded = (result: ReadResult) => {
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config.pipelines[0]?.transforms[1]
}

test.each([
  ['a path beside the config file', './plugins/mask.mjs', 'etc/plugins/mask.mjs'],
  ['a path above the config file', '../mask.mjs', 'mask.mjs'],
  ['a path of a CommonJS file', './mask.cjs', 'etc/mask.cjs'],
])('a plugin is named by %s, and its settings are checked and filled in', async (_name, name, file) => {
  const form = file.endsWith('cjs') ? 'module.exports =' : 'export default'
  const stage = loaded(await read(named(name), { [file]: `${form} ${plugin()}` }))
  expect(stage).toMatchObject({ definition: { name: 'mask' }, config: { with: '***' } })
})

test.each<[string, string, object, string]>([
  ['a main file', '@acme/mask', { main: 'lib/main.js' }, 'lib/main.js'],
  ['no main file', 'headgate-mask', {}, 'index.js'],
  ['exports', '@acme/mask', { exports: './main.js' }, 'main.js'],
  [
    'conditional exports',
    '@acme/mask',
    { exports: { '.': { require: './no.cjs', import: { types: './no.d.ts', default: './main.js' } } } },
    'main.js',
  ],
])('a plugin is named by npm package, with %s', async (_name, name, manifest, main) => {
  const folder = `node_modules/${name}`
  const files = {
    [`${folder}/package.json`]: JSON.stringify({ name, type: 'module', ...manifest }),
    [`${folder}/${main}`]: `export const mask = ${plugin()}`,
  }
  expect(loaded(await read(named(name), files))?.definition.name).toBe('mask')
})

test('of the plugins of one package each stage gets the one of its kind', async () => {
  const text = inlineConfig({
    transforms: [{ plugin: 'everything' }, { plugin: './both.mjs' }],
    postCommit: [{ plugin: './both.mjs' }],
  })
  const result = await read(text, {
    'etc/both.mjs': `export const a = ${plugin('acme')}\nexport const b = ${plugin('acme', 'post-commit')}\nexport default a`,
  })
  expect(loaded(result)?.definition.kind).toBe('transform')
  expect(result.ok && result.config.pipelines[0]?.postCommit[0]?.definition.kind).toBe('post-commit')
})

test.each<[string, string, string, RegExp, RegExp?]>([
  [
    'is missing',
    './mask.js',
    '',
    /Cannot read the plugin "\.\/mask\.js": there is no such file\. Its path is relative to .*etc\./,
  ],
  [
    'is a package that is not installed',
    '@acme/mask',
    '',
    /package "@acme\/mask" is not installed/,
    /npm install @acme\/mask/,
  ],
  [
    'throws while it is loaded',
    './mask.mjs',
    'const a = 1\nthrow new TypeError("no luck")',
    /failed while it was loaded, at \.\/mask\.mjs:2(:\d+)?: no luck\.$/,
  ],
  [
    'throws something that is no error',
    './mask.mjs',
    'throw "luck"',
    /failed while it was loaded.*: luck\.$/,
  ],
  ['exports nothing', './mask.mjs', 'const a = 1', /exports no plugin definition\. It exports nothing\./],
  [
    'exports something else',
    './mask.mjs',
    'export const n = 1; export default () => {}; export const o = {}',
    /It exports .*"n", a value of type number/,
  ],
  [
    'exports half a definition',
    './mask.mjs',
    `export const mask = { kind: 'transfrom', name: 'mask', summary: 'S.', config: {} }`,
    /"mask", an object of which "kind", "config", "create" is missing or wrong\./,
  ],
  [
    'declares settings that are no schema',
    './mask.mjs',
    `export default ${plugin('mask', 'transform', "config: { type: 'object', properties: { a: { type: 'txt' } } }")}`,
    /schema of the settings of "\.\/mask\.mjs" is invalid/,
  ],
  [
    'was written for another contract',
    './mask.mjs',
    `export default ${plugin('mask', 'transform', 'contract: 2')}`,
    /version 2 of the plugin contract; this Headgate has version 1\./,
  ],
  [
    'takes the name of a built-in one',
    './mask.mjs',
    `export default ${plugin('everything')}`,
    /transform "everything" of "\.\/mask\.mjs" has the same name as a built-in one/,
    /another "name"/,
  ],
])(
  'a plugin that %s is a problem where it is named',
  async (_name, name, text, message, suggestion = /^/) => {
    const problem = await problemOf(named(name), text === '' ? {} : { 'etc/mask.mjs': text })
    expect(problem).toMatchObject({
      code: 'HG_CONFIG_PLUGIN_LOAD',
      pointer: '/pipelines/orders/transforms/1/plugin',
      location: { file: 'etc/plugins.config.json', line: 1 },
      found: JSON.stringify(name),
    })
    expect(problem?.message).toMatch(message)
    expect(problem?.suggestion ?? '').toMatch(suggestion)
  },
)

test('a package that exports nothing for an import is a problem', async () => {
  const manifest = { name: '@acme/mask', exports: { './other': './main.js' } }
  const problem = await problemOf(named('@acme/mask'), {
    'node_modules/@acme/mask/package.json': JSON.stringify(manifest),
  })
  expect(problem?.message).toMatch(/exports nothing that can be imported/)
})

test('a syntax error is reported with its line', async () => {
  // In a process of its own: what imports modules in this one is not Node.
  const cwd = temporaryDirectory({ 'mask.mjs': 'export default {\n  a: = 1,\n}' })
  const url = pathToFileURL(join(cwd, 'mask.mjs')).href
  const { message } = await loadingFailure(
    './mask.mjs',
    `${url}?0a1b`,
    new SyntaxError("Unexpected token '='"),
  )
  expect(message).toBe(
    'The plugin "./mask.mjs" failed while it was loaded, at ./mask.mjs:2: Unexpected token \'=\'.',
  )
})

test('a plugin of another kind is named as such', async () => {
  const text = inlineConfig({ sink: { plugin: './mask.mjs' } })
  expect(await problemOf(text, { 'etc/mask.mjs': `export default ${plugin()}` })).toMatchObject({
    code: 'HG_CONFIG_PLUGIN',
    message: '"./mask.mjs" has no sink; it has the transform "mask".',
  })
})

test('two plugins that give themselves one name are refused, one plugin named twice is not', async () => {
  const files = {
    'etc/a.mjs': `export default ${plugin()}`,
    'etc/b.mjs': `export default ${plugin('mask', 'transform', '// b')}`,
  }
  expect((await problemOf(named('./a.mjs', './b.mjs'), files))?.message).toMatch(
    /same name as that of "\.\/a\.mjs"/,
  )
  expect((await read(named('./a.mjs', '././a.mjs', './a.mjs'), files)).ok).toBe(true)
})

test('only what the file itself names is loaded: neither a reference nor a typo can name code', async () => {
  const files = {
    'etc/mask.mjs': 'globalThis.headgateTestLoaded = true',
    'node_modules/everythin/index.js': 'globalThis.headgateTestLoaded = true',
  }
  const byReference = await problemOf(named('${env:PLUGIN}'), files, { PLUGIN: './mask.mjs' })
  expect(byReference?.message).toMatch(/can only name a built-in plugin/)
  expect((await problemOf(named('everythin'), files))?.suggestion).toBe('Did you mean "everything"?')
  expect(globalThis).not.toHaveProperty('headgateTestLoaded')
})

test('a file that cannot be read or has another shape names no plugins', async () => {
  for (const text of [
    '',
    'nope',
    '[]',
    '{"pipelines": [null, {"transforms": 5, "source": {"plugin": 1}}]}',
  ]) {
    const cwd = temporaryDirectory({ 'a.json': text })
    expect((await loadPlugins(join(cwd, 'a.json'), definitions)).size).toBe(0)
  }
  expect((await loadPlugins('/nowhere/a.json', definitions)).size).toBe(0)
})

test('a plugin file that was changed is loaded again, is watched, and makes another revision', async () => {
  const cwd = temporaryDirectory({
    'etc/plugins.config.json': named('./mask.mjs'),
    'etc/mask.mjs': `export default ${plugin()}`,
  })
  const first = await readIn(cwd)
  writeFileSync(join(cwd, 'etc/mask.mjs'), `export default ${plugin('other')}`)
  const second = await readIn(cwd)
  expect([loaded(first)?.definition.name, loaded(second)?.definition.name]).toEqual(['mask', 'other'])
  if (!first.ok || !second.ok) return
  expect(first.config.revision).not.toBe(second.config.revision)
  expect(first.config.watched).toContain(join(cwd, 'etc/mask.mjs'))
})
