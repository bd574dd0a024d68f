/**
 * Senders that are not who they say, are slow, or send what is no event. One Headgate for all of these tests.
 *
 * | case | test |
 * |---|---|
 * | 19 | a bad, stale or replayed signature |
 * | 20 | a secret that is changed under traffic |
 * | 21 | slowloris, CL with TE, gzip bomb: refused, others are served |
 * | 22 | invalid UTF-8, 10,000-deep nesting, duplicate keys: 400; `__proto__` is data |
 * | 23 | large integers, 1e400, key order: the value is byte for byte what was sent |
 */
import { createHmac, randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { sharedByTests } from '../helpers/lasting.js'
import { type Deployment, deploy, eventText, type WebhookResponse } from '../helpers/processes/deployment.js'
import { type RawConnection, rawConnection, rawRequest } from '../helpers/raw-connection.js'

const PATH = '/webhook/cxone/data-actions'
const OLD = Buffer.from('the secret until today').toString('base64')
const NEW = Buffer.from('the secret from today on').toString('base64')
const SECONDS = 1000

describeKafka('what Headgate promises whatever its senders do', () => {
  const running = sharedByTests((atEnd) => {
    const verify = `{ "scheme": "standard-webhooks", "secrets": ["${OLD}", "${NEW}"] }`
    const config = (text: string) => text.replace(/"verify": \{.*\}/, `"verify": ${verify}`)
    return deploy(sharedKafka(), { config, atEnd })
  })

  test('case 19: a bad, stale or replayed signature is 401 and never a record; an honest redelivery is a duplicate', async () => {
    const { post, records, headgate } = running()
    const id = randomUUID()
    const body = eventText(id, '{}')
    const hourAgo = Date.now() - 3600 * SECONDS
    const refused = [
      await post(body),
      await post(body, signed(body, { secret: Buffer.from('a guess').toString('base64') })),
      await post(body, signed(body, { time: hourAgo })),
      await post(body, { ...signed(body, { time: hourAgo }), 'webhook-timestamp': stamp(Date.now()) }),
      await post(body, signed(eventText(id, '{"other":1}'))),
    ]
    for (const response of refused) {
      expect(response).toMatchObject({ status: 401, body: { code: 'HG_INTAKE_UNAUTHENTICATED' } })
      expect(JSON.stringify(response.body)).not.toContain(OLD)
    }
    expect(await recordsOf(records, id)).toEqual([])

    const headers = signed(body)
    expect(await post(body, headers)).toMatchObject({ status: 200, body: { outcome: 'delivered' } })
    expect(await post(body, headers)).toMatchObject({ status: 200, body: { outcome: 'duplicate' } })
    expect(await recordsOf(records, id)).toHaveLength(1)
    expect(headgate.lines.join('\n')).not.toContain(OLD)
  })

  test('case 20: a secret that is changed under traffic refuses nobody', async () => {
    const { post } = running()
    let secret = OLD
    let sent = 0
    const statuses = new Set<number>()
    const sender = async () => {
      while (sent < 300) {
        if (++sent === 150) secret = NEW
        const body = eventText(randomUUID(), '{}')
        statuses.add((await post(body, signed(body, { secret }))).status)
      }
    }
    await Promise.all(Array.from({ length: 8 }, sender))
    expect([...statuses]).toEqual([200])
  })

  test('case 21: slowloris, CL with TE and gzip bombs are refused while others are served', async () => {
    const { headgate, post } = running()
    const port = Number(new URL(headgate.intake).port)
    const slow = await Promise.all(Array.from({ length: 100 }, () => slowHead(port)))
    const smuggler = await rawConnection(port)
    const both = { 'content-length': 4, 'transfer-encoding': 'chunked' }
    smuggler.send(rawRequest('POST', PATH, both, '0\r\n\r\n'))
    expect(await smuggler.closed()).toMatch(/^HTTP\/1\.1 400 /)

    const bomb = gzipSync(Buffer.alloc(20_000_000, ' '))
    const unpacked = await post(bomb, { ...signed(bomb), 'content-encoding': 'gzip' })
    expect(unpacked).toMatchObject({ status: 415, body: { code: 'HG_INTAKE_ENCODING' } })

    const responses: Promise<WebhookResponse>[] = []
    let going = true
    const honest = (async () => {
      while (going) {
        const body = eventText(randomUUID(), '{}')
        responses.push(post(body, signed(body)))
        await responses.at(-1)
      }
    })()
    for (const connection of slow) expect(await connection.closed()).toMatch(/^HTTP\/1\.1 408 /)
    going = false
    await honest
    expect(responses.length).toBeGreaterThan(100)
    expect(new Set((await Promise.all(responses)).map(({ status }) => status))).toEqual(new Set([200]))
  })

  test.each<[string, string | Buffer, string]>([
    ['invalid UTF-8', Buffer.from('{"dataActionId":"a\xff","payload":{}}', 'latin1'), 'HG_INTAKE_NOT_UTF8'],
    ['10,000-deep nesting', eventText('deep', '['.repeat(10_000) + ']'.repeat(10_000)), 'HG_INTAKE_TOO_DEEP'],
    [
      'duplicate keys',
      eventText('twice', '{}').replace('{', '{"dataActionId":"once",'),
      'HG_INTAKE_DUPLICATE_KEY',
    ],
    ['half an event', '{"dataActionId":"half', 'HG_INTAKE_NOT_JSON'],
  ])('case 22: %s is 400, and written nowhere', async (_, body, code) => {
    const { post, records } = running()
    const before = (await records()).length
    expect(await post(body, signed(body))).toMatchObject({ status: 400, body: { code } })
    expect(await records()).toHaveLength(before)
  })

  test('case 22: `__proto__` is data', async () => {
    const { post, records } = running()
    const id = randomUUID()
    const payload = '{"__proto__":{"priority":"high"},"constructor":{"prototype":{"polluted":1}}}'
    const body = eventText(id, payload)
    expect((await post(body, signed(body))).status).toBe(200)
    expect(await recordsOf(records, id)).toEqual([payload])
    const plain = eventText(randomUUID(), '{}')
    expect((await post(plain, signed(plain))).body['topic']).toMatch(/\.default$/)
  })

  test('case 23: integers over 2^53, 1e400, key order and escapes arrive byte for byte, in the partition of their route', async () => {
    const { post, records, prefix, pipeline } = running()
    const payloads = {
      high: '{ "priority" : "high",\n"id":9007199254740993, "one":1.0, "e":1e400 }',
      eu: '{"region":"eu-west","10":"ten","2":"two","text":"Z\\u00fcrich Zürich 🚀 \\/"}',
      default: '{"same":1,"same":2.00,"__proto__":{"a":-0}}',
    }
    const places = { high: 0, eu: 1, default: 2 }
    for (const [route, payload] of Object.entries(payloads)) {
      const body = eventText(`id-${route}`, payload)
      expect(await post(body, signed(body))).toMatchObject({
        status: 200,
        body: { id: `id-${route}`, outcome: 'delivered', topic: `${prefix}.${route}` },
      })
    }
    const found = await records()
    for (const [route, payload] of Object.entries(payloads)) {
      const record = found.find(({ headers }) => headers['headgate-event-id'] === `id-${route}`)
      expect(record).toMatchObject({
        topic: `${prefix}.${route}`,
        partition: places[route as keyof typeof places],
        headers: {
          'headgate-pipeline': pipeline,
          'event-type': 'DataActionCreated',
          'event-timestamp': '2026-01-02T03:04:05Z',
        },
      })
      expect(record?.value.toString()).toBe(payload)
      expect(record?.key?.toString()).toBe(`id-${route}`)
    }
  })
})

const stamp = (time: number): string => String(Math.floor(time / SECONDS))

/** The headers of Standard Webhooks 1.0. */
function signed(body: string | Buffer, { secret = OLD, time = Date.now() } = {}) {
  const id = 'msg_1'
  const hmac = createHmac('sha256', Buffer.from(secret, 'base64'))
  const signature = hmac
    .update(`${id}.${stamp(time)}.`)
    .update(body)
    .digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': stamp(time), 'webhook-signature': `v1,${signature}` }
}

/** The values of an event's records. */
async function recordsOf(records: Deployment['records'], id: string): Promise<string[]> {
  const all = await records()
  return all.filter(({ headers }) => headers['headgate-event-id'] === id).map(({ value }) => value.toString())
}

/** A request whose head never ends. */
async function slowHead(port: number): Promise<RawConnection> {
  const connection = await rawConnection(port)
  connection.send(`POST ${PATH} HTTP/1.1\r\nhost: test\r\n`)
  return connection
}
