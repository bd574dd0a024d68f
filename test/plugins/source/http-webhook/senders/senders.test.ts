import { createHmac, generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SENDERS } from '../../../../../src/plugins/source/http-webhook/senders/index.js'
import { proofExpires } from '../../../../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { startWebhook } from '../webhook.js'
import { FORMS, VECTORS, type Vector } from './vectors.js'

afterEach(() => void vi.useRealTimers())

const hmac = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('hex')

/** A source with this sender, whose clock is at the time of the vector. */
async function startSender({ sender, at, settings = {} }: Vector, secrets: readonly string[], later = 0) {
  if (at !== undefined) vi.useFakeTimers({ now: (at + later) * 1000, toFake: ['Date'] })
  const started = await startWebhook({ eventId: undefined, verify: undefined, sender, secrets, ...settings })
  return {
    ...started,
    send: ({ headers, body, query = '' }: Vector) =>
      started.ask('POST', query, { 'content-type': 'application/json', ...headers }, body),
  }
}

/** A secret of the same kind that is not the one of the vector. */
function otherSecret(sender: string): string {
  if (sender === 'discord') return keyOf('ed25519')
  if (sender === 'sendgrid') return keyOf('ec')
  return Buffer.from('another secret of this sender!').toString('base64')
}

function keyOf(type: 'ed25519' | 'ec'): string {
  const { publicKey } =
    type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) : generateKeyPairSync('ed25519')
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
}

/** The same with another body, or with another secret if nothing else proves the sender. */
function forged(vector: Vector): Vector {
  const change = (text: string) => text.replaceAll(vector.secret, `${vector.secret}x`)
  const headers = Object.fromEntries(
    Object.entries(vector.headers).map(([name, value]) => [name, change(value)]),
  )
  const query = vector.query?.replace('key%2F1', 'key%2F2')
  return {
    ...vector,
    headers,
    ...(query !== undefined && { query }),
    body: change(vector.body)
      .replace(/(?=[}\]>]\s*$)/, ' ')
      .replace(/^token=/, 'token=x'),
  }
}

it('every sender has a vector, with its time if it signs one', () => {
  expect(VECTORS.map(({ sender }) => sender)).toEqual(SENDERS.map(({ name }) => name))
  const timed = SENDERS.filter(({ settings }) => proofExpires(settings['verify'] as never))
  expect(VECTORS.filter(({ at }) => at !== undefined).map(({ sender }) => sender)).toEqual(
    timed.map(({ name }) => name),
  )
})

describe.each(VECTORS)('$sender, by $from', (vector) => {
  const { sender, secret, id, events: sent = 1, status = 200 } = vector

  it('an event is accepted, with the old secret and with the new one', async () => {
    for (const secrets of [
      [secret, otherSecret(sender)],
      [otherSecret(sender), secret],
    ]) {
      const { send, events, lines } = await startSender(vector, secrets)
      const response = await send(vector)
      expect(response.status, `${response.text} ${JSON.stringify(lines)}`).toBe(status)
      expect(new Set(events.map((event) => event.id)).size).toBe(sent)
      if (id !== undefined) expect(events[0]).toMatchObject({ id })
      if (status === 204) expect(response).toMatchObject({ text: '' })
    }
  })

  it('a forged event is refused, and one that another secret has signed', async () => {
    const { send, events } = await startSender(vector, [secret])
    expect((await send(forged(vector))).status).toBe(401)
    const other = await startSender(vector, [otherSecret(sender)])
    expect((await other.send(vector)).status).toBe(401)
    expect([...events, ...other.events]).toEqual([])
  })
})

it.each(FORMS)('a form of $sender is decoded, and the event keeps it', async (vector) => {
  const { send, events } = await startSender(vector, [vector.secret])
  expect((await send(vector)).status).toBe(200)
  expect(events).toMatchObject([{ id: vector.id, body: { value: vector.value } }])
  expect(events[0]?.body.original?.bytes.toString()).toBe(vector.body)
  expect((await send({ ...vector, body: `${vector.body}0` })).status).toBe(401)
})

it.each(VECTORS.filter(({ at }) => at !== undefined))('$sender: an old event is refused', async (vector) => {
  const { send } = await startSender(vector, [vector.secret], 301)
  const response = await send(vector)
  expect(response.status).toBe(401)
  expect(response.text).toContain('too old')
})

const vectorOf = (sender: string): Vector => VECTORS.find((vector) => vector.sender === sender) as Vector

describe('the handshake', () => {
  const start = async (sender: string) => startSender(vectorOf(sender), [vectorOf(sender).secret])
  const json = { 'content-type': 'application/json' }

  it('of Slack is answered to whom has signed it', async () => {
    const { ask } = await start('slack')
    const body = '{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2r","type":"url_verification"}'
    const at = 1_700_000_000
    const signature = `v0=${hmac(`v0:${at}:${body}`, vectorOf('slack').secret)}`
    const headers = { ...json, 'x-slack-request-timestamp': String(at) }
    expect(await ask('POST', '', { ...headers, 'x-slack-signature': signature }, body)).toMatchObject({
      status: 200,
      text: '3eZbrw1aBm2r',
    })
    const wrong = { ...headers, 'x-slack-signature': `v0=${'0'.repeat(64)}` }
    expect((await ask('POST', '', wrong, body)).status).toBe(401)
  })

  it('of Zoom is answered with the HMAC of its documentation', async () => {
    const { ask } = await start('zoom')
    const body = '{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event":"endpoint.url_validation"}'
    const at = 1_700_000_000
    const response = await ask(
      'POST',
      '',
      {
        ...json,
        'x-zm-signature': `v0=${hmac(`v0:${at}:${body}`, 'secret token')}`,
        'x-zm-request-timestamp': String(at),
      },
      body,
    )
    expect(JSON.parse(response.text)).toEqual({
      plainToken: 'qgg8vlvZRS6UYooatFL8Aw',
      encryptedToken: hmac('qgg8vlvZRS6UYooatFL8Aw', 'secret token'),
    })
  })

  it('of Okta, Dropbox and Microsoft Graph is answered to anyone', async () => {
    const okta = await start('okta')
    const response = await okta.ask('GET', '', { 'x-okta-verification-challenge': 'my verification' })
    expect(response).toMatchObject({ status: 200, text: '{"verification":"my verification"}' })
    const dropbox = await start('dropbox')
    expect(await dropbox.ask('GET', '?challenge=abc')).toMatchObject({
      status: 200,
      text: 'abc',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    })
    const graph = await start('microsoft-graph')
    expect(await graph.ask('POST', '?validationToken=a%3Ab', { 'content-type': 'text/plain' })).toMatchObject(
      {
        status: 200,
        text: 'a:b',
      },
    )
  })

  it('of Meta is answered to whom knows the verify token', async () => {
    const { ask } = await start('meta')
    const query = '?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token='
    expect(await ask('GET', `${query}meatyhamhock`)).toMatchObject({ status: 200, text: '1158201444' })
    expect((await ask('GET', `${query}other`)).status).toBe(401)
  })

  it('of CloudEvents grants the origin', async () => {
    const { ask } = await start('cloudevents')
    expect(await ask('OPTIONS', '', { 'webhook-request-origin': 'eventemitter.example.com' })).toMatchObject({
      status: 200,
      headers: { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' },
    })
  })

  it('of Event Grid is answered with its code, not with 202', async () => {
    const { ask } = await start('event-grid')
    const body = `[{"id":"2d1781af","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]`
    expect(await ask('POST', '?code=key%2F1', json, body)).toMatchObject({
      status: 200,
      text: '{"validationResponse":"512d38b6"}',
    })
    expect((await ask('POST', '?code=other', json, body)).status).toBe(401)
  })

  it('of Discord is an empty 204', async () => {
    const { ask, events } = await start('discord')
    const headers = {
      ...json,
      'x-signature-timestamp': '1700000000',
      'x-signature-ed25519':
        '548ff57e51a9d7d87a9750ca4c0e8c4f8d3ae4928110355797dcadd81c50c4c395dae5f2246e9ea5263b4a6874d26a4568f1ae205dd978e3437b9264013bc809',
    }
    const response = await ask('POST', '', headers, '{"version":1,"application_id":"1","type":0}')
    expect(response).toMatchObject({ status: 204, text: '' })
    expect(response.headers['content-length']).toBeUndefined()
    expect(events).toEqual([])
  })
})

it.each(SENDERS.flatMap(({ name, successes }) => (successes === undefined ? [] : [{ name, successes }])))(
  '$name gets a status that it takes for a success with each event that is taken: $successes',
  async ({ name, successes }) => {
    const vector = vectorOf(name)
    const { source } = await startSender(vector, [vector.secret])
    const receipt = { topic: 'orders', partition: 0, offset: 1 }
    for (const kind of ['accepted', 'delivered', 'duplicate', 'dead-lettered'] as const)
      expect(successes).toContain((await source.respond({ kind, id: 'a', receipt })).status)
    expect(successes).toContain((await source.respond({ kind: 'dropped', id: 'a' })).status)
  },
)

it('Twilio gets an instruction to do nothing, and neither JSON nor a text that would be a reply', async () => {
  const vector = vectorOf('twilio')
  const { send, source } = await startSender(vector, [vector.secret])
  const nothing = {
    status: 200,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
  }
  const response = await send(vector)
  expect(response).toMatchObject(nothing)
  expect(response.text).toMatch(/<Response><\/Response>$/)
  const receipt = { topic: 'dead', partition: 0, offset: 1 }
  expect(await source.respond({ kind: 'dead-lettered', id: 'a', receipt })).toMatchObject(nothing)
})

it('a notification of Dropbox with the same bytes is another event', async () => {
  const vector = vectorOf('dropbox')
  const { send, events } = await startSender(vector, [vector.secret])
  await send(vector)
  await send(vector)
  expect(new Set(events.map(({ id }) => id)).size).toBe(2)
})

it('Salesforce reads in the response to an outbound message that Kafka has it, and sends it again otherwise', async () => {
  const { secret, headers, query, body } = vectorOf('salesforce-outbound')
  const one = body.replace(/<Notification>.*C5CAAU.*\n/, '')
  const { ask, events } = await startSender(vectorOf('salesforce-outbound'), [secret])
  for (const sent of [body, one]) {
    const response = await ask('POST', query, headers, sent)
    expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' } })
    expect(response.text).toContain('<Ack>true</Ack>')
  }
  expect(events.map(({ id }) => id.slice(-5))).toEqual(['5BAAU', '5CAAU', '5BAAU'])
  const bad = await ask('POST', query, headers, body.replaceAll('Notification>', 'Other>'))
  expect([bad.status, bad.text.includes('Ack')]).toEqual([400, false])
})
