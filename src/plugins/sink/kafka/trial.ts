import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import rdkafka, { type Producer } from 'node-rdkafka'
import { HeadgateError } from '../../../contract/errors.js'
import type { ConfigProblem } from '../../../contract/index.js'
import { child } from '../../../lib/json/pointer.js'
import { connect, release } from './producer/producer.js'
import { type ClientConfig, clientConfig, type Properties } from './properties.js'

/** Files that librdkafka reads when a client is made, and the properties in force with which it does. */
const FILES: readonly { readonly property: string; readonly isRead: RegExp }[] = [
  { property: 'ssl.ca.location', isRead: /ssl/ },
  { property: 'ssl.certificate.location', isRead: /ssl/ },
  { property: 'ssl.key.location', isRead: /ssl/ },
  { property: 'ssl.keystore.location', isRead: /ssl/ },
  { property: 'ssl.crl.location', isRead: /ssl/ },
  { property: 'sasl.kerberos.keytab', isRead: /sasl.* gssapi/ },
  { property: 'https.ca.location', isRead: /sasl.* oauthbearer/ },
  { property: 'sasl.oauthbearer.assertion.file', isRead: /sasl.* oauthbearer/ },
  { property: 'sasl.oauthbearer.assertion.private.key.file', isRead: /sasl.* oauthbearer/ },
  { property: 'sasl.oauthbearer.assertion.jwt.template.file', isRead: /sasl.* oauthbearer/ },
]

/** Stands for the files of the system. */
const PROBE = 'probe'

/**
 * Creates a client with the properties and discards it: only then does librdkafka check them together and read its
 * files. It has no addresses, so it connects to nothing.
 */
export async function* trial(settings: {
  readonly brokers: string
  readonly properties: Properties
}): AsyncGenerator<ConfigProblem> {
  const { properties } = settings
  const config = clientConfig(settings.brokers, properties, 'headgate-validate')
  const unreadable = await fileProblems(config)
  yield* unreadable
  if (unreadable.length > 0) return
  const refusal = await refusalOf(config)
  if (refusal === undefined) return
  const named = Object.keys(properties)
    .filter((name) => refusal.includes(name))
    .sort((a, b) => b.length - a.length)[0]
  const at = named === undefined ? '/properties' : child('/properties', named)
  yield { at, code: 'HG_CONFIG_VALUE', message: refusal }
}

async function refusalOf({ global: withBrokers, topic }: ClientConfig): Promise<string | undefined> {
  const { 'bootstrap.servers': _, ...global } = withBrokers
  let producer: Producer
  try {
    producer = new rdkafka.Producer({ ...global, log_level: 0 }, topic)
  } catch (error) {
    return `The Kafka client rejects its properties: ${(error as Error).message}.`
  }
  // Without a listener, the error would be thrown.
  producer.on('event.error', () => {})
  try {
    await connect(producer, 1)
    await release(producer)
    return undefined
  } catch (error) {
    // Any other code means that it cannot connect, which is expected.
    const isRefused = error instanceof HeadgateError && error.code === 'HG_CONFIG_VALUE'
    return isRefused ? error.message : undefined
  }
}

async function fileProblems({ global }: ClientConfig): Promise<ConfigProblem[]> {
  const mechanism = global['sasl.mechanisms'] ?? global['sasl.mechanism'] ?? 'GSSAPI'
  const inForce = `${global['security.protocol'] ?? 'plaintext'} ${mechanism}`.toLowerCase()
  const found: ConfigProblem[] = []
  for (const { property, isRead } of FILES) {
    const path = global[property]
    if (path === undefined || path === '' || path === PROBE || !isRead.test(inForce)) continue
    const reason = await whyUnreadable(path, property === 'ssl.ca.location')
    if (reason === undefined) continue
    const message = `${property} is ${path}, and ${reason}.`
    found.push({ at: child('/properties', property), code: 'HG_CONFIG_UNREADABLE', message })
  }
  return found
}

async function whyUnreadable(path: string, mayBeFolder: boolean): Promise<string | undefined> {
  try {
    const found = await stat(path)
    // Reading anything else, such as a pipe, could wait for ever.
    if (!found.isFile() && !(mayBeFolder && found.isDirectory())) return 'that is not a file'
    await access(path, constants.R_OK)
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
    if (code === 'EACCES') return 'this user may not read it'
    return message
  }
}
