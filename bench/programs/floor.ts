/**
 * The minimum that does the job with the same libraries: no plugins, no metrics, no limits, no retries, no shutdown.
 * Headgate is measured against it. Started by `programs.ts`, with the variables of the shipped config.
 */
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import rdkafka from 'node-rdkafka'
import { RE2JS } from 're2js'
import { Pool } from 'undici'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { variable } from './variable.js'

interface DataAction {
  readonly dataActionId: string
  readonly payload: object
}

const authorization = `Bearer ${variable('WEBHOOK_TOKEN')}`
const ajv = formats.default(new Ajv2020({ allErrors: true }))
const check = ajv.compile<DataAction>(
  JSON.parse(readFileSync('schemas/cxone-data-action.schema.json', 'utf8')),
)
const high = RE2JS.compile('"priority"\\s*:\\s*"high"')
const eu = RE2JS.compile('"region"\\s*:\\s*"eu-west"')

const cxone = new Pool(variable('CXONE_BASE_URL'), { connections: 32 })
const token = await requestToken()

const producer = new rdkafka.Producer(
  {
    'bootstrap.servers': variable('KAFKA_BROKERS'),
    'enable.idempotence': true,
    'linger.ms': 1,
    'message.max.bytes': 2 ** 21,
    dr_cb: true,
  },
  { acks: -1 },
)
await new Promise<void>((resolve, reject) =>
  producer.connect({ allTopics: false }, (error) => (error ? reject(error) : resolve())),
)
producer.setPollInterval(1)

const waiting = new Map<number, { readonly id: string; readonly response: ServerResponse }>()
let produced = 0

producer.on('delivery-report', (error, { opaque, topic, partition, offset }) => {
  const event = waiting.get(opaque)
  if (event === undefined) return
  waiting.delete(opaque)
  if (error) return respond(event.response, 503, { error: error.message })
  respond(event.response, 200, { id: event.id, outcome: 'delivered', topic, partition, offset })
  void acknowledge(event.id)
})

const server = createServer((request, response) => {
  if (request.method !== 'POST' || request.url !== WEBHOOK_PATH) return respond(response, 404, {})
  if (request.headers.authorization !== authorization) return respond(response, 401, {})
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => take(Buffer.concat(chunks), response))
})

function take(body: Buffer, response: ServerResponse): void {
  const event: unknown = JSON.parse(body.toString())
  if (!check(event)) {
    respond(response, 422, check.errors ?? [])
    return
  }
  const { dataActionId: id, payload } = event
  const text = JSON.stringify(payload)
  const [topic, partition] = high.test(text)
    ? (['cxone.data.actions.high', 0] as const)
    : eu.test(text)
      ? (['cxone.data.actions.eu', 1] as const)
      : (['cxone.data.actions.default', 2] as const)
  waiting.set(produced, { id, response })
  producer.produce(topic, partition, Buffer.from(text), Buffer.from(id), undefined, produced++)
}

function respond(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

async function acknowledge(id: string): Promise<void> {
  const path = `/api/v2/data/actions/${encodeURIComponent(id)}/acknowledge`
  const headers = { authorization: token, 'content-type': 'application/json' }
  const { body } = await cxone.request({ method: 'POST', path, headers, body: '{}' })
  await body.dump()
}

async function requestToken(): Promise<string> {
  const credentials = `${variable('CXONE_CLIENT_ID')}:${variable('CXONE_CLIENT_SECRET')}`
  const headers = {
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const { body } = await cxone.request({
    method: 'POST',
    path: '/oauth/token',
    headers,
    body: 'grant_type=client_credentials',
  })
  const { access_token } = (await body.json()) as { access_token: string }
  return `Bearer ${access_token}`
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
