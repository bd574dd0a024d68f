import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { drop, fail, type LoggedRecord } from '../../src/contract/index.js'
import { judge } from '../../src/dead-letters/judge.js'
import { type DeadLetter, deadLetterOf } from '../../src/dead-letters/letter.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { buildDelivery, type Delivery } from '../../src/pipeline/build-delivery.js'
import { testContext } from '../helpers/context.js'
import { memoryTopics } from '../helpers/kafka/memory-topics.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { type InlinePlugins, inlineConfig, inlinePlugins } from '../helpers/pipelines/inline-plugins.js'
import { DLQ, letterRecord } from './setup.js'

function delivery(settings: object = {}): { delivery: Delivery; inline: InlinePlugins } {
  const inline = inlinePlugins()
  const read = readText(inlineConfig(settings), inline.definitions)
  const checked = read.ok ? read.config.pipelines[0] : undefined
  if (!read.ok || checked === undefined) throw new Error('the config cannot be read')
  const { log, signal } = testContext()
  return {
    delivery: buildDelivery(read.config, checked, { metrics: new ProcessMetrics(), log: () => log, signal }),
    inline,
  }
}

async function letter(
  value: string,
  more: { readonly request?: string } = {},
): Promise<{ letter: DeadLetter; bytes: Buffer }> {
  const topics = memoryTopics({ [DLQ]: 1 })
  await topics.send(letterRecord('a', { value, ...more }))
  const [record] = topics.records(DLQ) as [LoggedRecord]
  return { letter: deadLetterOf(record) as DeadLetter, bytes: record.value }
}

const OK = '{"payload":{"n":9007199254740993}}'

test('a dead letter that passes now becomes the record of its event, with its id and its digest', async () => {
  const { delivery: now } = delivery()
  const { letter: dead, bytes } = await letter(OK)
  const judgement = await judge(now, dead, bytes)
  expect(judgement).toMatchObject({ kind: 'passes', record: { target: { topic: 'events', partition: 0 } } })
  if (judgement.kind !== 'passes') return
  expect(judgement.record.value.toString()).toBe('{"n":9007199254740993}')
  expect(judgement.record.headers).toContainEqual({ name: 'headgate-event-id', value: 'a' })
  expect(judgement.record.headers).toContainEqual({ name: 'headgate-digest', value: 'digest of a' })
})

test.each(['reject', 'dead-letter'])(
  'one that fails again is told why, whatever onError says (%s)',
  async (onError) => {
    const { delivery: now, inline } = delivery({
      transforms: [{ plugin: 'everything', onError }],
      deadLetter: { topic: DLQ },
    })
    inline.apply = () => fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'Still wrong.'))
    const { letter: dead, bytes } = await letter(OK)
    expect(await judge(now, dead, bytes)).toMatchObject({
      kind: 'fails',
      error: { code: 'HG_SCHEMA_VIOLATION' },
    })
  },
)

test('one that the config drops now is told apart', async () => {
  const { delivery: now, inline } = delivery()
  inline.apply = async () => drop()
  const { letter: dead, bytes } = await letter(OK)
  expect(await judge(now, dead, bytes)).toEqual({ kind: 'dropped' })
})

test('one of which no record can be made, or that is no JSON, fails', async () => {
  const { delivery: now } = delivery()
  const { letter: dead, bytes } = await letter('{"other":1}')
  expect(await judge(now, dead, bytes)).toMatchObject({
    kind: 'fails',
    error: { code: 'HG_RECORD_FIELD_MISSING' },
  })
  expect(await judge(now, dead, Buffer.from('?'))).toMatchObject({
    kind: 'fails',
    error: { code: 'HG_INTAKE_NOT_JSON' },
  })
})

test('one is judged with the parts of its request that are in it, and its record has them again', async () => {
  const { delivery: now, inline } = delivery()
  let seen: unknown
  const { apply } = inline
  inline.apply = (event) => {
    seen = event.request
    return apply(event)
  }
  const request = '{"headers":{"x-kind":"push"},"query":"a=1%2C+2"}'
  const { letter: dead, bytes } = await letter(OK, { request })
  const judgement = await judge(now, dead, bytes)
  expect(seen).toEqual({ headers: { 'x-kind': 'push' }, query: { a: '1, 2' } })
  expect(judgement).toMatchObject({
    kind: 'passes',
    record: { headers: expect.arrayContaining([{ name: 'headgate-request', value: request }]) },
  })
})

test('one with something else in that header is judged without it', async () => {
  const { delivery: now } = delivery()
  const { letter: dead, bytes } = await letter(OK, { request: '{"headers":1}' })
  expect(await judge(now, dead, bytes)).toMatchObject({ kind: 'passes' })
})

test('one that was a form is decoded again', async () => {
  const { delivery: now, inline } = delivery()
  const values: unknown[] = []
  const pass = inline.apply
  inline.apply = (event) => {
    values.push(event.body.value)
    return pass(event)
  }
  const { letter: dead, bytes } = await letter('payload=%2B1&b=2')
  const judgement = await judge(now, { ...dead, contentType: 'application/x-www-form-urlencoded' }, bytes)
  expect(judgement).toMatchObject({ kind: 'passes', record: { value: Buffer.from('"+1"') } })
  expect(values).toEqual([{ payload: '+1', b: '2' }])
})
