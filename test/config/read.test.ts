import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatProblem } from '../../src/config/problem.js'
import { readConfig } from '../../src/config/read.js'
import { temporaryDirectory } from '../helpers/context.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'

const { definitions } = inlinePlugins()
const read = (text: string, options = {}) => readText(text, definitions, options)
const problemsOf = (text: string, options = {}) => {
  const result = read(text, options)
  return result.ok ? [] : result.problems
}
const valid = `{
  "pipelines": {
    "orders": {
      "source": { "plugin": "inline" },
      "transforms": [{ "plugin": "everything", "config": { "size": 5 } }],
      "sink": { "plugin": "memory" }
    }
  }
}`

test('a valid file is understood, with comments, trailing commas and defaults', () => {
  const result = read(`// who: platform team\n${valid.replace('"memory" }', '"memory" }, /* none yet */')}`)
  expect(result).toMatchObject({
    ok: true,
    config: { file: 'plugins.config.json', pipelines: [{ name: 'orders' }] },
  })
  if (!result.ok) return
  expect(result.config.pipelines[0]?.settings).toMatchObject({
    postCommit: [],
    maxPending: 100_000,
    redelivery: { window: '24h', entries: 100_000 },
    tap: { mask: [] },
    sink: { onError: 'reject', config: {} },
  })
})

test('the revision follows the text, not what references stand for', () => {
  const text = valid.replace('"inline"', '"${env:SOURCE}"')
  const revision = (text: string, environment: object) => {
    const result = read(text, { environment })
    return result.ok ? result.config.revision : undefined
  }
  expect(revision(text, { SOURCE: 'inline' })).toBe(revision(text, { SOURCE: 'inline', OTHER: 'x' }))
  expect(revision(valid, {})).not.toBe(revision(`${valid}\n`, {}))
})

test('the files that a config was made of are listed, and those of references are no part of the revision', () => {
  const text = valid.replace('"inline"', '"${file:secrets/name}"')
  const readWith = (name: string) => {
    const result = read(text, { files: { 'secrets/name': name } })
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    return result.config
  }
  const config = readWith('inline')
  const folder = config.files.resolve('.')
  expect(config.watched).toEqual([join(folder, 'plugins.config.json'), join(folder, 'secrets/name')])
  expect(readWith('inline\n').revision).toBe(config.revision)
})

test('every problem is reported at once, in the order of the file, with its place', () => {
  const problems = problemsOf(`{
  "pipelines": {
    "orders": {
      "source": { "plugin": "inlnie" },
      "transforms": [{ "plugin": "everything", "config": { "siez": 1 } }],
      "sink": { "plugin": "memory", "onError": "ignore" },
      "maxPending": 0
    }
  }
}`)
  expect(
    problems.map(({ code, pointer, location: { line, column } }) => [code, pointer, line, column]),
  ).toEqual([
    ['HG_CONFIG_PLUGIN', '/pipelines/orders/source/plugin', 4, 29],
    ['HG_CONFIG_UNKNOWN_KEY', '/pipelines/orders/transforms/0/config/siez', 5, 60],
    ['HG_CONFIG_VALUE', '/pipelines/orders/sink/onError', 6, 48],
    ['HG_CONFIG_VALUE', '/pipelines/orders/maxPending', 7, 21],
  ])
  expect(problems[0]?.suggestion).toBe('Did you mean "inline"?')
  expect(problems[1]?.suggestion).toBe('Did you mean "size"?')
  expect(problems[2]).toMatchObject({ expected: '"reject", "dead-letter" or "drop"', found: '"ignore"' })
})

test('a problem is shown with place, code, expectation, finding and suggestion', () => {
  const [problem] = problemsOf(valid.replace('"size": 5', '"size": "big"'))
  expect(problem && formatProblem(problem)).toBe(
    [
      'plugins.config.json:5:68  /pipelines/orders/transforms/0/config/size',
      '  HG_CONFIG_VALUE: This value should be an integer.',
      '  expected: an integer: Some number.',
      '  found:    "big"',
    ].join('\n'),
  )
})

test.each([
  ['', 'The file is empty.', 1, 1],
  ['{"pipelines": {', 'A closing brace } is missing.', 1, 16],
  ['{\n  "pipelines": nope\n}', 'This is not a JSON value; text needs double quotes.', 2, 16],
  ['{"a": 1, "a": 2}', 'The key "a" appears twice in this object.', 1, 10],
])('a file that is not JSON (%j) is refused with the place', (text, message, line, column) => {
  expect(problemsOf(text)[0]).toMatchObject({ message, location: { line, column } })
})

test.each([
  ['[]', '', 'This value should be an object.'],
  ['{}', '', 'The setting "pipelines" is missing here.'],
  ['{"pipelines": {}}', '/pipelines', 'This value should not be empty.'],
  ['{"pipelines": {"Bad Name": {}}}', '/pipelines/Bad Name', '"Bad Name" is not a valid name here.'],
  ['{"pipelines": {"orders": null}}', '/pipelines/orders', 'This value should be an object.'],
  ['{"pipelines": {"orders": {"source": []}}}', '/pipelines/orders', 'The setting "sink" is missing here.'],
])('a file of another shape (%s) is refused, not crashed on', (text, pointer, message) => {
  expect(problemsOf(text)).toContainEqual(expect.objectContaining({ pointer, message }))
})

test('a file that is not there is a problem with its name', () => {
  const cwd = temporaryDirectory()
  const result = readConfig(join(cwd, 'nope.json'), {
    plugins: definitions,
    environment: {},
    exposed: false,
    cwd,
  })
  expect(result).toMatchObject({
    ok: false,
    problems: [
      { code: 'HG_CONFIG_UNREADABLE', message: 'The file nope.json cannot be read: there is no such file.' },
    ],
  })
})

test.each([
  [{ maxPending: 0 }, 'This value should be at least 1.'],
  [{ postCommit: [{ plugin: 'tell', concurrency: 5000 }] }, 'This value should be at most 1000.'],
  [{ postCommit: [{ plugin: 'tell', rate: 0 }] }, 'This value should be more than 0.'],
  [{ source: { plugin: '' } }, 'This value should not be empty.'],
  [{ redelivery: { window: '1 day' } }, 'Invalid value: it has the wrong format.'],
])('a value out of bounds (%j) says what the bound is', (settings, message) => {
  expect(problemsOf(inlineConfig(settings)).map((problem) => problem.message)).toContain(message)
})

test('a reference without a value is a problem at its place, and what follows from it is not', () => {
  const problems = problemsOf(valid.replace('"size": 5', '"size": "${env:SIZE}"'))
  expect(problems.map(({ code, message }) => [code, message])).toEqual([
    ['HG_CONFIG_PROVIDER', 'The environment variable SIZE is not set.'],
  ])
})

test('what a reference stands for is never shown, only the reference', () => {
  const problems = problemsOf(valid.replace('"size": 5', '"size": "${env:SIZE}"'), {
    environment: { SIZE: 's3cret-value' },
  })
  expect(problems[0]).toMatchObject({ found: '"${env:SIZE}"' })
  expect(JSON.stringify(problems)).not.toContain('s3cret')
})

test('references read files, whole or by key, and say what is wrong with them', () => {
  const folder = temporaryDirectory({
    token: 'from-file\n',
    'all.properties': '# secrets\nplugin = inline\n',
  })
  const source = (reference: string) => valid.replace('"inline"', JSON.stringify(reference))
  expect(read(source(`\${file:${folder}/all.properties:plugin}`)).ok).toBe(true)
  expect(problemsOf(source(`\${file:${folder}/token}`))[0]?.found).toContain('${file:')
  expect(problemsOf(source(`\${file:${folder}/all.properties:nope}`))[0]?.message).toContain(
    'has no key "nope"',
  )
  expect(problemsOf(source(`\${file:${folder}/missing}`))[0]?.message).toContain('there is no such file')
  expect(problemsOf(source('${vault:x}'))[0]).toMatchObject({ message: 'There is no provider "vault".' })
  expect(problemsOf(source('${NAME}'))[0]?.suggestion).toBe('Did you mean "${env:NAME}"?')
})

test('a file behind a reference that changes is read again', () => {
  const folder = temporaryDirectory({ name: 'inline' })
  const text = valid.replace('"inline"', `"\${file:${join(folder, 'name')}}"`)
  expect(read(text).ok).toBe(true)
  writeFileSync(join(folder, 'name'), 'other')
  expect(read(text).ok).toBe(false)
})

test('a plugin of another kind is named as such', () => {
  expect(problemsOf(valid.replace('"plugin": "memory"', '"plugin": "inline"'))[0]?.message).toBe(
    'There is no sink "inline". "inline" is a source.',
  )
})

test('dead letters without a topic for them are refused', () => {
  const problems = problemsOf(inlineConfig({ sink: { plugin: 'memory', onError: 'dead-letter' } }))
  expect(problems[0]).toMatchObject({ code: 'HG_CONFIG_CONFLICT', pointer: '/pipelines/orders/sink/onError' })
})

test('a pipeline that chooses no topic is refused', () => {
  expect(problemsOf(inlineConfig({ transforms: [] }))[0]).toMatchObject({
    code: 'HG_CONFIG_CONFLICT',
    message: 'No transform of the pipeline "orders" chooses a topic.',
  })
})
