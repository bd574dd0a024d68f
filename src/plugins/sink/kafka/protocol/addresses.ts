import rdkafka, { type Producer } from 'node-rdkafka'
import { ClientLog } from '../producer/health.js'
import { connect } from '../producer/producer.js'
import type { ClientConfig } from '../properties.js'
import { type Address, reach } from './connection.js'

/** An address, and the client that reached it or why none did. */
export type Reached =
  | { readonly address: Address; readonly client: Producer }
  | { readonly address: Address; readonly why: string; readonly advice?: Advice | undefined }

/** Milliseconds. librdkafka tries again until its time is up, even if credentials are refused. */
const PATIENCE = 3000

/** As the sink's `brokers` lists them. */
export const addressesOf = (brokers: string): Address[] =>
  brokers.split(',').map((text) => {
    const [, bracketed, host = '', port] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(text.trim()) ?? []
    return { host: bracketed ?? host, port: Number(port) }
  })

export const format = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Connects as the sink would, to this address alone. Rejects if the properties themselves are refused. */
export async function reachBroker(
  config: ClientConfig,
  address: Address,
  timeout: number,
  signal: AbortSignal,
): Promise<Reached> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.min(PATIENCE, timeout))])
  const refusal = await reach(address, deadline).then(
    () => undefined,
    (error: unknown) => socketReason(error),
  )
  if (refusal !== undefined) return { address, why: refusal }
  const log = new ClientLog(SILENT)
  const global = { ...config.global, 'bootstrap.servers': format(address) }
  const client = new rdkafka.Producer(global, config.topic)
  client.on('event.log', log.write)
  // Without a listener, the error would be thrown.
  client.on('event.error', () => {})
  try {
    await connect(client, Math.min(PATIENCE, timeout))
    return { address, client }
  } catch (error) {
    const why = (log.trouble() ?? (error as Error).message).replace(/error:[0-9A-F]+:|\?$/g, '')
    return { address, why, advice: ADVICE.find(({ pattern }) => pattern.test(why)) }
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** The reason of a failed connection, for messages. */
export function socketReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return SOCKET_REASONS[code] ?? message
}

const SOCKET_REASONS: { readonly [code: string]: string | undefined } = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name is not known to DNS',
  EAI_AGAIN: 'DNS does not answer',
  EHOSTUNREACH: 'there is no route to that host',
  ENETUNREACH: 'there is no route to that network',
  ETIMEDOUT: 'it does not answer; a firewall may drop what is sent there',
  ABORT_ERR: 'it does not answer; a firewall may drop what is sent there',
  ECONNRESET: 'the connection is reset',
}

interface Advice {
  readonly pattern: RegExp
  readonly suggestion: string
  /** The property to correct, if it is written at all. */
  readonly property: string
}

/** Texts of librdkafka, and the advice for each. */
const ADVICE: readonly Advice[] = [
  {
    pattern: /certificate verify failed|unable to get .*issuer|self.signed/i,
    suggestion:
      'Its certificate is not trusted: set "ssl.ca.location" in `properties` to the certificates that your Kafka is signed with.',
    property: 'ssl.ca.location',
  },
  {
    pattern: /SASL|authentication failed/i,
    suggestion:
      'Kafka refuses the login: correct "sasl.mechanism", "sasl.username" and "sasl.password" in `properties`.',
    property: 'sasl.password',
  },
  {
    // The text depends on which side closes first.
    pattern: /wrong version number|(PLAINTEXT broker|SSL) listener|security\.protocol|POLLIN|closed by peer/i,
    suggestion:
      'That listener may speak another protocol, with or without TLS or login: correct its port, or "security.protocol" in `properties`.',
    property: 'security.protocol',
  },
]
