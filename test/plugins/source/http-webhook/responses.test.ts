import { describe, expect, it } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import type { Outcome } from '../../../../src/contract/index.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { fillDefaults } from '../../../helpers/context.js'
import { heldPath, startWebhook, TOKEN } from './webhook.js'

const receipt = { topic: 't', partition: 0, offset: 1 }

async function responseTo(responses: object, outcome: Outcome) {
  const { source } = await startWebhook({ responses })
  return source.respond(outcome)
}

describe('responses', () => {
  it('have the status, the headers and the body that the sender wants', async () => {
    const delivered = { kind: 'delivered', id: 'a', receipt } as const
    expect(await responseTo({ delivered: { status: 201, headers: { 'x-a': 'b' } } }, delivered)).toEqual({
      status: 201,
      headers: { 'content-type': 'application/json', 'x-a': 'b' },
      body: '{"id":"a","outcome":"delivered","topic":"t","partition":0,"offset":1}',
    })
    expect(await responseTo({ delivered: { status: 204 } }, delivered)).toEqual({
      status: 204,
      headers: {},
      body: '',
    })
    expect(await responseTo({ 'dead-lettered': { status: 200 } }, delivered)).toMatchObject({ status: 200 })
  })

  it('have the body that the sender wants, of its type', async () => {
    const delivered = { kind: 'delivered', id: 'a', receipt } as const
    expect(await responseTo({ delivered: { body: 'ok' } }, delivered)).toEqual({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: 'ok',
    })
    const ack = { body: '<Ack>ü</Ack>', headers: { 'content-type': 'text/xml' } }
    const { ask } = await startWebhook({ responses: { delivered: ack } })
    const sent = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    expect(await ask('POST', '', sent, '{"id":"a"}')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/xml', 'content-length': '13' },
      text: '<Ack>ü</Ack>',
    })
    expect(await responseTo({ delivered: { ...ack, status: 204 } }, delivered)).toMatchObject({ body: '' })
  })

  it('to a batch have the body that the sender wants, if each item is in Kafka', async () => {
    const path = ({ id }: { readonly id: string }): Outcome =>
      id === 'late'
        ? { kind: 'unavailable', id, error: new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is down.') }
        : { kind: 'delivered', id, receipt }
    const { post, ask } = await startWebhook({ split: {}, responses: { delivered: { body: 'ok' } } }, path)
    const sent = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    expect(await ask('POST', '', sent, '[{"id":"a"},{"id":"b"}]')).toMatchObject({ status: 200, text: 'ok' })
    const { status, json } = await post('[{"id":"a"},{"id":"late"}]')
    expect([status, json.items.length]).toEqual([503, 2])
  })

  it('keep Retry-After of a failure', async () => {
    const error = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is down.')
    const response = await responseTo(
      { unavailable: { status: 500, body: false } },
      {
        kind: 'unavailable',
        id: 'a',
        error,
      },
    )
    expect(response).toEqual({ status: 500, headers: { 'retry-after': '5' }, body: '', error })
  })

  it('are the same if Kafka is too slow', async () => {
    const { path, waiting } = heldPath()
    const responses = { unavailable: { status: 500, body: false, headers: { 'x-a': 'b' } } }
    const { ask } = await startWebhook({ responseTimeout: '20ms', responses }, path)
    const sent = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const { status, headers, text } = await ask('POST', '', sent, '{"id":"a"}')
    expect([status, headers['x-a'], headers['retry-after'], text]).toEqual([500, 'b', '5', ''])
    for (const end of waiting) end()
  })

  it.each([
    [{ delivered: { status: 404 } }, '/responses/delivered/status'],
    [{ rejected: { status: 200 } }, '/responses/rejected/status'],
    [{ unavailable: { status: 429 } }, '/responses/unavailable/status'],
    [{ delivered: { headers: { 'content-length': '1' } } }, '/responses/delivered/headers'],
    [{ delivered: { body: '' } }, '/responses/delivered/body'],
    [{ delivered: { body: { ok: true } } }, '/responses/delivered/body'],
    [{ handshake: {} }, '/responses'],
  ])('never say success for a failure, or failure for a success: %j', (responses, at) => {
    const settings = { path: '/in', eventId: '/id', verify: { scheme: 'none' }, responses }
    expect(() => fillDefaults(httpWebhook, settings)).toThrow(at)
  })
})
