import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { SENDERS } from '../../../../../src/plugins/source/http-webhook/senders/index.js'
import type { Sender } from '../../../../../src/plugins/source/http-webhook/senders/sender.js'
import type { Settings } from '../../../../../src/plugins/source/http-webhook/settings.js'
import { senderKey } from '../../../../../src/plugins/source/http-webhook/simulated-sender/key.js'
import {
  type ProvedRequest,
  prover,
} from '../../../../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { registration } from '../../../../../src/plugins/source/http-webhook/simulated-sender/registration.js'
import {
  eventsOf,
  simulatedEvent,
} from '../../../../../src/plugins/source/http-webhook/simulated-sender/request.js'
import { fillDefaults } from '../../../../helpers/context.js'
import { startWebhook } from '../webhook.js'

/** A source, and a simulated sender for it. */
async function start(config: object, privateKey?: Parameters<typeof prover>[1]) {
  const started = await startWebhook(config)
  const settings = fillDefaults(httpWebhook, { path: '/in', ...config }) as Settings
  const prove = prover(settings, privateKey)
  const send = (request: ReturnType<typeof prove>) =>
    started.ask(
      request.method,
      request.query === '' ? '' : `?${request.query}`,
      request.headers,
      request.method === 'GET' || request.body === '' ? null : request.body,
    )
  return { ...started, settings, prove, send }
}

const NEEDED = {
  publicUrl: 'https://hooks.example.com',
  eventId: '/contactId',
  handshake: { token: { values: ['verify-token'] } },
}

/** The settings of a source for this sender, and the private key of the sender. */
function configFor({ name, settings, needs = {} }: Sender) {
  const key = senderKey(settings['verify'] as Parameters<typeof senderKey>[0], 'a-secret-of-this-test')
  const own = Object.fromEntries(Object.entries(NEEDED).filter(([setting]) => setting in needs))
  const config = {
    eventId: undefined,
    verify: undefined,
    sender: name,
    secrets: [key.configured],
    ...own,
  }
  return { key, config }
}

/** The same with another secret if the request shows it, or else with another body. */
function forged(proved: ProvedRequest, secret: string): ProvedRequest {
  const text = JSON.stringify(proved)
  return text.includes(secret)
    ? JSON.parse(text.replaceAll(secret, 'another-secret'))
    : { ...proved, body: `${proved.body} ` }
}

describe.each(SENDERS)('$name', (sender) => {
  const { key, config } = configFor(sender)
  const { event } = sender

  it('proves its events, and each is another one', async () => {
    const { prove, send, settings, events } = await start(config, key.privateKey)
    for (const id of [randomUUID(), randomUUID()]) {
      const response = await send(prove(simulatedEvent(event, settings, id)))
      expect(response.status, response.text).toBe(settings.responses.delivered?.status ?? 200)
    }
    const sent = 2 * eventsOf(event.body, settings.split).length
    expect(new Set(events.map(({ id }) => id)).size).toBe(sent)
    expect(sent).toBe(settings.split === undefined ? 2 : 4)
  })

  it('is refused with another body or another secret', async () => {
    const { prove, send, settings, events } = await start(config, key.privateKey)
    const proved = prove(simulatedEvent(event, settings, 'event-1'))
    expect((await send(forged(proved, key.configured))).status).toBe(401)
    expect(events).toEqual([])
  })
})

it.each(SENDERS.filter(({ settings }) => settings['handshake'] !== undefined))(
  '$name registers its URL',
  async (sender) => {
    const { key, config } = configFor(sender)
    const { prove, send, settings, outcomes } = await start(config, key.privateKey)
    if (settings.handshake === undefined) throw new Error('the sender has no handshake')
    const { status } = await send(prove(registration(settings.handshake, 'challenge-1')))
    expect([200, 204]).toContain(status)
    expect(outcomes).toMatchObject([{ kind: 'handshake' }])
  },
)

it.each(SENDERS.filter(({ settings }) => isProved(settings['handshake'])))(
  'somebody who is not $name registers no URL',
  async (sender) => {
    const { key, config } = configFor(sender)
    const { prove, send, settings, outcomes } = await start(config, key.privateKey)
    if (settings.handshake === undefined) throw new Error('the sender has no handshake')
    const proved = prove(registration(settings.handshake, 'challenge-1'))
    expect((await send(forged(proved, key.configured))).status).toBe(401)
    expect(outcomes).toMatchObject([{ kind: 'rejected' }])
  },
)

/** A handshake that only the sender can ask for, by the proof of its events. */
function isProved(handshake: unknown): boolean {
  const { form, verified } = (handshake ?? { verified: false }) as { form?: string; verified?: boolean }
  return form === 'body' || verified === true
}

describe('other settings', () => {
  it.each([
    ['basic', { scheme: 'basic', credentials: ['name:password'] }],
    ['a header that is no list', { scheme: 'hmac', header: 'X-Sig', secrets: ['s'], algorithm: 'sha512' }],
    ['a key in the query', { scheme: 'api-key', query: 'key', keys: ['a b/ü'] }],
    [
      'a path and a query',
      { scheme: 'hmac', header: 'X-Sig', secrets: ['s'], signed: '{path}?{query}#{body}' },
    ],
  ])('%s: the request is proved', async (_name, verify) => {
    const { prove, send, events } = await start({ eventId: 'query:id', verify })
    await send(prove(simulatedEvent({ body: { a: 1 } }, { eventId: 'query:id' }, 'x y')))
    expect(events).toMatchObject([{ id: 'x y' }])
  })

  it('a numeric signature of ECDSA has its two numbers', async () => {
    const key = senderKey({ scheme: 'ecdsa-p256' }, '')
    const verify = {
      scheme: 'ecdsa-p256',
      header: 'X-Sig',
      signatureFormat: 'raw',
      publicKeys: [key.configured],
    }
    const { prove, send, events } = await start({ eventId: '/id', verify }, key.privateKey)
    const proved = prove(simulatedEvent({ body: {} }, { eventId: '/id' }, 'e-1'))
    expect(proved.headers['X-Sig']).toMatch(/^[0-9a-f]{128}$/)
    await send(proved)
    expect(events).toMatchObject([{ id: 'e-1' }])
  })

  it('the id of several parts is changed in its last part', () => {
    const { body } = simulatedEvent(
      { body: { source: '/a', id: 'old' } },
      { eventId: ['/source', '/id'] },
      'new',
    )
    expect(body).toEqual({ source: '/a', id: 'new' })
  })

  it('each event of a batch gets an id of its own', () => {
    const split = { at: '/data/events', maxItems: 10, enabled: true }
    const sample = { body: { data: { events: [{ n: 1 }, { n: 2 }] } } }
    expect(simulatedEvent(sample, { eventId: '/id', split }, 'a').body).toEqual({
      data: {
        events: [
          { id: 'a', n: 1 },
          { id: 'a-2', n: 2 },
        ],
      },
    })
    const whole = { ...split, enabled: false }
    expect(simulatedEvent(sample, { eventId: '/data/id', split: whole }, 'a').body).toEqual({
      data: { id: 'a', events: [{ n: 1 }, { n: 2 }] },
    })
  })

  it('an id is put where the body has nothing yet, also into an array', () => {
    expect(simulatedEvent({ body: [{ a: 1 }] }, { eventId: '/0/data/id' }, 'i').body).toEqual([
      { data: { id: 'i' }, a: 1 },
    ])
    expect(simulatedEvent({ body: {} }, { eventId: '/data/id' }, undefined).body).toEqual({})
  })
})

it('the settings of this test are those that senders need', () => {
  expect(Object.keys(NEEDED)).toEqual(
    expect.arrayContaining(SENDERS.flatMap(({ needs = {} }) => Object.keys(needs))),
  )
})
