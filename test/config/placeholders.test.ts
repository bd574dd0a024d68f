import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ReadResult, readConfig } from '../../src/config/read.js'
import { plugins } from '../../src/plugins/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { shippedFiles } from '../helpers/pipelines/shipped-config.js'

// biome-ignore lint/suspicious/noExplicitAny: a config as people write it
function read(change: (pipeline: any) => void, environment: { [name: string]: string } = {}): ReadResult {
  const cwd = temporaryDirectory(shippedFiles({ 'plugins.config.json': change }))
  const options = { plugins, environment, exposed: false, cwd, unresolved: 'placeholder' } as const
  return readConfig(join(cwd, 'plugins.config.json'), options)
}

const problems = (result: ReadResult) => (result.ok ? [] : result.problems.map(({ message }) => message))

test('references without a value are stood in for by what fits their setting, and are known', () => {
  const result = read(({ source }) => {
    source.config.verify = {
      scheme: 'standard-webhooks',
      secrets: ['${env:HOOK_SECRET}', 'whsec_${file:/none}'],
    }
  })
  if (!result.ok) throw new Error(problems(result).join('\n'))
  const { placeholders, secrets, pipelines } = result.config
  expect(placeholders.map(({ reference }) => reference)).toEqual([
    '${env:HOOK_SECRET}',
    '${file:/none}',
    '${env:KAFKA_BROKERS}',
    '${env:CXONE_BASE_URL}',
    '${env:CXONE_CLIENT_ID}',
    '${env:CXONE_CLIENT_SECRET}',
  ])
  expect(JSON.stringify(pipelines[0]?.sink.config)).toContain(
    [...secrets].find(([, reference]) => reference === '${env:KAFKA_BROKERS}')?.[0],
  )
})

test('a reference that has a value keeps it', () => {
  const result = read(() => {}, { KAFKA_BROKERS: 'kafka-1:9092' })
  if (!result.ok) throw new Error(problems(result).join('\n'))
  expect(result.config.pipelines[0]?.sink.config).toMatchObject({ brokers: 'kafka-1:9092' })
  expect(result.config.placeholders.map(({ reference }) => reference)).not.toContain('${env:KAFKA_BROKERS}')
})

test('where nothing fits, or where it could decide on an event, a missing value is a problem as ever', () => {
  const result = read(({ source, transforms }) => {
    source.config.maxBody = '${env:MAX_BODY}'
    transforms[1].config.rules[0].when.regex = '${env:PATTERN}'
  })
  const said = problems(result).join(' ')
  for (const name of ['MAX_BODY', 'PATTERN']) expect(said).toContain(`${name} is not set`)
  expect(problems(result)).toHaveLength(2)
})

test('other problems of the file are reported beside, each once', () => {
  const result = read(({ sink }) => {
    sink.config.brokes = 'x'
  })
  expect(problems(result)).toEqual([expect.stringContaining('brokes')])
})
