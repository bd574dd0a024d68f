import { Agent, request } from 'undici'
import { onTestFinished } from 'vitest'
import { asHeadgateError } from '../../../../src/contract/errors.js'
import {
  type Correlation,
  type Event,
  type Intake,
  isHandshake,
  type Outcome,
} from '../../../../src/contract/index.js'
import { Listener, type ListenerOptions } from '../../../../src/http/listener.js'
import { ReceivedRequest } from '../../../../src/http/request.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { fillDefaults, testContext } from '../../../helpers/context.js'

/** A request with these headers, by their lower-case names. */
export const requestWith = (
  headers: { readonly [name: string]: string },
  { method = 'POST', url = '/in' }: { readonly method?: string; readonly url?: string } = {},
) => new ReceivedRequest(method, headers, url, Object.entries(headers).flat())

export const TOKEN = 'correct-horse'

export const delivered = ({ id }: Event): Outcome => ({
  kind: 'delivered',
  id,
  receipt: { topic: 'orders', partition: 1, offset: 42 },
})

/** An intake that does as the engine does, and remembers every outcome. */
export function recordingIntake(path: (event: Event) => Outcome | Promise<Outcome> = delivered) {
  const events: Event[] = []
  const outcomes: Outcome[] = []
  const requests: (Correlation | undefined)[] = []
  const intake: Intake = async (receive, request) => {
    requests.push(request)
    const outcome = await follow(receive)
    outcomes.push(outcome)
    return outcome
  }
  const follow: Intake = async (receive) => {
    try {
      const received = receive()
      if (isHandshake(received)) return { ...received, id: undefined }
      events.push(received)
      return await path(received)
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The source')
      const kind = error.kind === 'data' ? 'rejected' : error.kind === 'limit' ? 'limited' : 'unavailable'
      return { kind, id: undefined, error }
    }
  }
  return { intake, events, outcomes, requests }
}

/** The path of an event that ends when the test says so. */
export function heldPath() {
  const waiting: (() => void)[] = []
  const path = (event: Event) =>
    new Promise<Outcome>((resolve) => waiting.push(() => resolve(delivered(event))))
  return { path, waiting }
}

/** The plugin behind a real listener. */
export async function startWebhook(
  config: object = {},
  path?: (event: Event) => Outcome | Promise<Outcome>,
  options: Partial<ListenerOptions> = {},
) {
  const context = testContext()
  const statuses: number[] = []
  const listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    log: context.log,
    onResponse: () => {},
    ...options,
  })
  const http = listener.bind('test', (status) => statuses.push(status))
  const verify = { scheme: 'bearer', tokens: [TOKEN] }
  const settings = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify, ...config })
  const source = httpWebhook.create(settings, { ...context, http })
  const recorded = recordingIntake(path)
  await source.start(recorded.intake)
  const { url, port } = await listener.open()
  const dispatcher = new Agent()
  onTestFinished(async () => {
    await dispatcher.destroy()
    listener.closeNow()
    await listener.close()
  })
  const ask = async (
    method: string,
    query = '',
    headers: { [name: string]: string } = {},
    body: string | null = null,
  ) => {
    const response = await request(`${url}/in${query}`, {
      method: method as 'GET',
      headers,
      body,
      dispatcher,
    })
    return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
  }
  const post = async (body: string | Buffer, headers: { [name: string]: string } = {}) => {
    const response = await request(`${url}/in`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, ...headers },
      dispatcher,
    })
    return {
      status: response.statusCode,
      headers: response.headers,
      json: JSON.parse(await response.body.text()),
    }
  }
  const { lines, values } = context
  return { source, listener, port, post, ask, statuses, ...recorded, lines, values }
}
