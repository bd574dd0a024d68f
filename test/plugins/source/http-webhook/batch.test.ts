import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import type { Event, Outcome } from '../../../../src/contract/index.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'
import { runningPipeline } from '../../../helpers/pipelines/inline-pipeline.js'
import { until } from '../../../helpers/until.js'
import { delivered, heldPath, startWebhook } from './webhook.js'

const NDJSON = { 'content-type': 'application/x-ndjson' }
const ids = (events: readonly Event[]) => events.map(({ id }) => id)
const bad = new HeadgateError('HG_SCHEMA_VIOLATION', 'It does not fit.')
const away = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.')

describe('a batch', () => {
  it('is an event for each element of an array, with its bytes as they came', async () => {
    const { post, events } = await startWebhook({ split: { at: '/data/events' } })
    const response = await post('{"data":{"n":1,"events":[ {"id":"a","n":9007199254740993} ,{"id":"b" }]}}')
    expect(events.map(({ id, body }) => [id, body.bytes.toString()])).toEqual([
      ['a', '{"id":"a","n":9007199254740993}'],
      ['b', '{"id":"b" }'],
    ])
    const receipt = { topic: 'orders', partition: 1, offset: 42 }
    expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
    expect(response.json).toEqual({
      outcome: 'delivered',
      items: [
        { id: 'a', outcome: 'delivered', ...receipt },
        { id: 'b', outcome: 'delivered', ...receipt },
      ],
    })
  })

  it('can be the body itself, and a body that is no array is its only item', async () => {
    const { post, events } = await startWebhook({ split: {} })
    await post(' [ {"id":"a"}, {"id":"b"} ] ')
    await post('{"id":"c"}')
    expect(ids(events)).toEqual(['a', 'b', 'c'])
  })

  it('can be lines, of which one that is no JSON is refused and the others are not', async () => {
    const { post, events } = await startWebhook({ split: {}, body: { formats: ['ndjson'] } })
    const response = await post('{"id":"a"}\r\n\n{"id":\n  \n{"id":"b"}', NDJSON)
    expect(ids(events)).toEqual(['a', 'b'])
    expect(response).toMatchObject({
      status: 400,
      json: {
        code: 'HG_INTAKE_NOT_JSON',
        items: [
          { id: 'a', outcome: 'delivered' },
          { outcome: 'rejected' },
          { id: 'b', outcome: 'delivered' },
        ],
      },
    })
  })

  it('is one event if the settings say so', async () => {
    const { post, events } = await startWebhook({ eventId: '/1/id', split: { enabled: false } })
    expect(await post('[{"id":"a"},{"id":"b"}]')).toMatchObject({ status: 200, json: { id: 'b' } })
    expect(ids(events)).toEqual(['b'])
  })

  it('without items succeeds and brings no event', async () => {
    const { post, outcomes } = await startWebhook({ split: {} })
    expect(await post('[]')).toMatchObject({ status: 200, json: { items: [] } })
    expect(outcomes).toEqual([])
  })

  it('of a form has the decoded items', async () => {
    const body = { formats: ['form'], jsonField: 'mandrill_events' }
    const { post, events } = await startWebhook({ split: {}, body })
    const form = `mandrill_events=${encodeURIComponent('[{"id":"a"},{"id":"b"}]')}`
    await post(form, { 'content-type': 'application/x-www-form-urlencoded' })
    expect(events.map(({ body }) => [body.bytes.toString(), body.original])).toEqual([
      ['{"id":"a"}', undefined],
      ['{"id":"b"}', undefined],
    ])
  })

  it.each<[string, Outcome[], number, string]>([
    [
      'one that has to come again',
      [
        delivered({ id: 'a' } as Event),
        { kind: 'unavailable', id: 'b', error: away },
        { kind: 'rejected', id: 'c', error: bad },
      ],
      503,
      'HG_KAFKA_UNAVAILABLE',
    ],
    [
      'one that is refused',
      [
        delivered({ id: 'a' } as Event),
        { kind: 'rejected', id: 'b', error: bad },
        { kind: 'dropped', id: 'c' },
      ],
      422,
      'HG_SCHEMA_VIOLATION',
    ],
  ])('has the status of its worst item: %s', async (_what, outcomes, status, code) => {
    let next = 0
    const { post } = await startWebhook({ split: {} }, () => outcomes[next++] as Outcome)
    const response = await post('[{"id":"a"},{"id":"b"},{"id":"c"}]')
    expect(response).toMatchObject({ status, json: { code } })
    expect(response.json.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      outcomes.map(({ kind }) => kind),
    )
    expect(response.headers['retry-after']).toBe(status === 503 ? '5' : undefined)
  })

  it('an item without an id, or with a key twice, is refused without its neighbours', async () => {
    const { post, events } = await startWebhook({ split: {} })
    const response = await post('[{"id":"a"},{"x":1},{"id":"b","id":"c"},7,{"id":"d"}]')
    expect(ids(events)).toEqual(['a', 'd'])
    expect(response.json.items).toMatchObject([
      { id: 'a' },
      { outcome: 'rejected', code: 'HG_INTAKE_NO_ID' },
      { outcome: 'rejected', code: 'HG_INTAKE_DUPLICATE_KEY' },
      { outcome: 'rejected', code: 'HG_INTAKE_NO_ID' },
      { id: 'd' },
    ])
  })

  it.each([
    ['nothing at the place', '{"other":[]}', 400, 'HG_INTAKE_NO_BATCH'],
    ['too many items', `{"value":[${'1,'.repeat(10)}1]}`, 413, 'HG_INTAKE_TOO_MANY_ITEMS'],
    ['no JSON', '{', 400, 'HG_INTAKE_NOT_JSON'],
  ])('with %s is refused as a whole', async (_what, body, status, code) => {
    const { post, outcomes } = await startWebhook({ split: { at: '/value', maxItems: 10 } })
    expect(await post(body)).toMatchObject({ status, json: { code } })
    expect(outcomes).toHaveLength(1)
  })

  it('bounds the number of lines', async () => {
    const { post } = await startWebhook({ split: { maxItems: 2 }, body: { formats: ['ndjson'] } })
    expect((await post('{"id":"a"}\n{"id":"b"}\n', NDJSON)).status).toBe(200)
    expect((await post('{"id":"a"}\n{"id":"b"}\n1', NDJSON)).json.code).toBe('HG_INTAKE_TOO_MANY_ITEMS')
  })

  it('of an unverified sender is not looked at', async () => {
    const { post, events } = await startWebhook({ split: {} })
    expect((await post('[{"id":"a"}]', { authorization: 'Bearer other' })).status).toBe(401)
    expect(events).toEqual([])
  })

  it('counts each item as an event in flight, and its response waits for all', async () => {
    const { path, waiting } = heldPath()
    const { post, events, listener } = await startWebhook({ split: {}, maxInFlight: 3 }, path)
    const batch = post('[{"id":"a"},{"id":"b"},{"id":"c"}]')
    await until(() => waiting.length === 3)
    expect((await post('[{"id":"d"}]')).json.code).toBe('HG_INTAKE_BUSY')
    waiting.shift()?.()
    const another = post('[{"id":"d"}]')
    await until(() => waiting.length === 3)
    for (const end of waiting) end()
    expect([(await batch).status, (await another).status]).toEqual([200, 200])
    expect(ids(events)).toEqual(['a', 'b', 'c', 'd'])
    expect(listener.usage().bodyBytes).toBe(0)
  })

  it('with more items than may be in flight is taken in its order, as there is room', async () => {
    const { path, waiting } = heldPath()
    const { post, events, source } = await startWebhook({ split: {}, maxInFlight: 3 }, path)
    const many = Array.from({ length: 20 }, (_, index) => ({ id: `m${index}` }))
    const batch = post(JSON.stringify(many))
    for (let ended = 0; ended < many.length; ended++) {
      await until(() => events.length === Math.min(ended + 3, many.length))
      expect(waiting).toHaveLength(events.length - ended)
      if (ended === 10) expect((await post('[{"id":"other"}]')).json.code).toBe('HG_INTAKE_BUSY')
      waiting.shift()?.()
    }
    expect((await batch).json.items.map(({ id }: Event) => id)).toEqual(many.map(({ id }) => id))
    expect(ids(events)).toEqual(many.map(({ id }) => id))
    await source.stop()
  })

  it('that takes too long gets 503, and its events stay in flight', async () => {
    const { path, waiting } = heldPath()
    const { post, outcomes, listener } = await startWebhook({ split: {}, responseTimeout: '50ms' }, path)
    expect(await post('[{"id":"a"},{"id":"b"}]')).toMatchObject({
      status: 503,
      json: { code: 'HG_INTAKE_TIMEOUT' },
    })
    expect(listener.usage().bodyBytes).toBeGreaterThan(0)
    for (const end of waiting) end()
    await until(() => listener.usage().bodyBytes === 0)
    expect(outcomes).toHaveLength(2)
  })

  it('gets the response that its sender wants', async () => {
    const { post } = await startWebhook({
      split: {},
      responses: { delivered: { status: 202, headers: { 'x-a': 'b' } } },
    })
    expect(await post('[{"id":"a"}]')).toMatchObject({
      status: 202,
      headers: { 'x-a': 'b' },
      json: { items: [{}] },
    })
  })

  it('lets other requests in between', async () => {
    const { post, events } = await startWebhook({ split: {} })
    const many = Array.from({ length: 2000 }, (_, index) => ({ id: `m${index}` }))
    const [batch] = await Promise.all([post(JSON.stringify(many)), post('[{"id":"other"}]')])
    expect(batch.json.items).toHaveLength(2000)
    expect(ids(events).indexOf('other')).toBeLessThan(1900)
  })
})

describe('settings of batches', () => {
  const problems = (config: object) => {
    const verify = { scheme: 'bearer', tokens: ['t'] }
    const settings = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify, ...config })
    return [...(httpWebhook.check?.(settings, checkContext({ exposed: true })) ?? [])]
  }

  it.each<[string, object, string]>([
    ['lines that are not split', { body: { formats: ['ndjson'] } }, '/body/formats'],
    ['an id that all items share', { split: {}, eventId: 'header:X-Id' }, '/eventId'],
    ['a raw body', { split: {}, eventId: 'digest', body: { formats: ['raw'] } }, '/split'],
    [
      'a secret in lines',
      {
        split: {},
        body: { formats: ['ndjson'] },
        verify: { scheme: 'body-field', at: '/s', secrets: ['s'] },
      },
      '/verify/scheme',
    ],
    [
      'a handshake in lines',
      { split: {}, body: { formats: ['ndjson'] }, handshake: { form: 'body', when: { '/a': 'b' } } },
      '/handshake/form',
    ],
  ])('refuses %s', (_what, config, at) => {
    expect(problems(config)).toMatchObject([{ at, code: 'HG_CONFIG_CONFLICT' }])
  })

  it('accepts an id of a header and the item, and the digest of the item', () => {
    expect(problems({ split: {}, eventId: ['header:X-Account', '/id'] })).toEqual([])
    expect(problems({ split: {}, eventId: 'digest' })).toEqual([])
  })
})

it('whatever fails and however often it comes again, a batch ends with each item written once', async () => {
  const { inline } = await runningPipeline()
  let fails: boolean[] = []
  inline.send = async () => {
    if (fails.shift()) throw away
  }
  const { post } = await startWebhook({ split: {} }, (event) => inline.intake(() => event))
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.array(fc.boolean(), { maxLength: 40 }), { maxLength: 4 }),
      async (size, attempts) => {
        const prefix = `${run++}-`
        const items = Array.from({ length: size }, (_, index) => ({
          id: `${prefix}${index}`,
          payload: index,
        }))
        for (const attempt of [...attempts, []]) {
          fails = [...attempt]
          const { status, json } = await post(JSON.stringify(items))
          const outcomes = json.items.map(({ outcome }: { outcome: string }) => outcome)
          expect(outcomes).toHaveLength(size)
          expect(status).toBe(outcomes.includes('unavailable') ? 503 : 200)
        }
        const written = inline.written.map(({ key }) => String(key)).filter((id) => id.startsWith(prefix))
        expect(written.sort()).toEqual(items.map(({ id }) => id).sort())
      },
    ),
    { numRuns: 30 },
  )
})
