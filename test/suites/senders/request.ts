import { senderOf } from '../../../src/plugins/source/http-webhook/senders/index.js'
import type { Sender } from '../../../src/plugins/source/http-webhook/senders/sender.js'
import type { Settings } from '../../../src/plugins/source/http-webhook/settings.js'
import {
  type ProvedRequest,
  written,
} from '../../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { simulatedEvent } from '../../../src/plugins/source/http-webhook/simulated-sender/request.js'

/** The id of every event of these suites. */
export const ID = 'event-1'
export const PUBLIC_URL = 'https://hooks.example.com'

/** The sample event of a sender, as it goes over the wire, with another text in it. */
export function sample(name: string, text: string): ProvedRequest {
  const { event, settings } = senderOf(name) as Sender
  const withText = { ...event, body: { ...event.body, note: text } }
  return written(simulatedEvent(withText, settings as unknown as Settings, ID))
}

export const withHeaders = (request: ProvedRequest, headers: ProvedRequest['headers']): ProvedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
})

/** The URL that the sender knows, with the query. */
export const publicUrlOf = ({ query }: ProvedRequest): string =>
  `${PUBLIC_URL}/in${query === '' ? '' : `?${query}`}`

/** The parameters of a form as Express gives them to a library. */
export function parametersOf({ body }: ProvedRequest): { [name: string]: string | string[] } {
  const parameters = new URLSearchParams(body)
  const entries = [...new Set(parameters.keys())].map((name) => {
    const values = parameters.getAll(name)
    return [name, values.length === 1 ? values[0] : values]
  })
  return Object.fromEntries(entries)
}
