import { resolvedSource } from '../../src/commands/resolved-source.js'
import { SENDERS } from '../../src/plugins/source/http-webhook/senders/index.js'
import type { Sender } from '../../src/plugins/source/http-webhook/senders/sender.js'
import { writtenSettings } from '../../src/plugins/source/http-webhook/senders/written-settings.js'
import type { Settings } from '../../src/plugins/source/http-webhook/settings.js'
import { isJsonBody } from '../../src/plugins/source/http-webhook/simulated-sender/body-text.js'
import { senderKey } from '../../src/plugins/source/http-webhook/simulated-sender/key.js'
import {
  proofExpires,
  prover,
  written,
} from '../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { eventsOf, simulatedEvent } from '../../src/plugins/source/http-webhook/simulated-sender/request.js'

const OPENING = '<!-- generated from the declaration of the sender -->'
const CLOSING = '<!-- end of the generated part -->'
const GENERATED = new RegExp(`${OPENING}\\n[\\s\\S]*?${CLOSING}`)

/** The page of a sender, or the list of all, with its generated part as the declaration has it now. */
export const withGenerated = (page: string, text: string): string =>
  page.replace(GENERATED, () => `${OPENING}\n\n${text}\n\n${CLOSING}`)

/** The table of `docs/senders.md`. */
export const sendersTable = (): string =>
  [
    '| `sender` | sender | waits | event id |',
    '| --- | --- | --- | --- |',
    ...SENDERS.map(({ name, title, timeLimit = '-', settings }) => {
      const { eventId, split } = settings as Partial<Settings>
      const id = eventId === undefined ? 'yours' : idOf(eventId, split)
      return `| \`${name}\` | [${title}](senders/${name}.md) | ${timeLimit} | ${id} |`
    }),
  ].join('\n')

/** Everything on the page of a sender that its declaration says. */
export function senderPart(sender: Sender): string {
  const { notes, retries, retriesAt, timeLimit } = sender
  const source = resolvedSource(sourceOf(sender), exampleEnvironment(sender))
  return [
    '## The config',
    ...configOf(sender),
    factsOf(sender, source),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
    '## When an event fails',
    `Headgate responds with 503 while Kafka cannot take an event, after ${source.responseTimeout} at the latest; ${
      timeLimit === undefined ? 'the sender names no time limit.' : `the sender waits ${timeLimit}.`
    } After 503, the event is the sender's to deliver again. ${retries} (${retriesAt.map(linkTo).join(', ')})`,
    '## A scenario',
    'In `scenarios.json` beside the config, for `headgate test`; the event is an example:',
    `<!-- scenarios of: ${sender.name} -->\n${fenced('json', scenarioOf(sender, source))}`,
    `\`headgate sandbox --sender ${sender.name}\` starts Headgate and a simulated sender, which proves such events as this one does.`,
  ].join('\n\n')
}

function configOf(sender: Sender): string[] {
  const { name, redelivery } = sender
  const source = { plugin: 'http-webhook', config: sourceOf(sender) }
  const whole = `\`headgate init --sender ${name}\` writes a whole config with scenarios.`
  return redelivery === undefined
    ? [`${whole} Its source:`, fenced('jsonc', source)]
    : [
        `${whole} Source and \`redelivery\` of its pipeline:`,
        fenced('jsonc', { source, redelivery: { by: redelivery } }),
      ]
}

/** A list of one text stays on its line. */
const fenced = (language: string, value: object): string =>
  `\`\`\`${language}\n${JSON.stringify(value, undefined, 2).replaceAll(/\[\s+("[^"\n]*")\s+\]/g, '[$1]')}\n\`\`\``

const sourceOf = (sender: Sender): object => ({
  path: `/webhook/${sender.name}`,
  ...writtenSettings(sender).settings,
})

/** Of RFC 8032 (7.1, test 1), and of the tests of @sendgrid/eventwebhook: no reference can stand for a public key. */
const PUBLIC_KEYS = {
  ed25519: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  'ecdsa-p256':
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
} as const

/** The variables that the config on the page of a sender refers to, with values. */
export function exampleEnvironment(sender: Sender): { readonly [variable: string]: string } {
  const verify = sender.settings['verify'] as Parameters<typeof senderKey>[0]
  const key = PUBLIC_KEYS[verify.scheme as keyof typeof PUBLIC_KEYS]
  return { [writtenSettings(sender).secret]: key ?? senderKey(verify, 'secret-of-the-scenarios').configured }
}

/** Without the proof if that has the time in it: it would be too old tomorrow. */
function scenarioOf(sender: Sender, source: Settings): object {
  const event = simulatedEvent(sender.event, source, 'event-1')
  const isProved = !proofExpires(source.verify)
  const { query, headers, body } = isProved ? prover(source)(event) : written(event)
  const { 'Content-Type': type, ...others } = headers
  const named = type === 'application/json' ? others : headers
  const events = eventsOf(event.body, source.split)
  const outcome = 'delivered'
  const needsKey = isProved || sender.secrets.includes('/verify/publicKeys')
  return {
    ...(needsKey && { environment: exampleEnvironment(sender) }),
    scenarios: [
      {
        name: `${events.length === 1 ? 'an event' : 'a batch'} of the sender "${sender.name}" is delivered`,
        ...(isJsonBody(headers) ? { event: JSON.parse(body) } : { text: body }),
        ...(query !== '' && { query }),
        ...(Object.keys(named).length > 0 && { headers: named }),
        ...(isProved && { verify: true }),
        expect: {
          outcome,
          response: { status: source.responses.delivered?.status ?? 200 },
          ...(events.length > 1 && { items: events.map(() => ({ outcome })) }),
        },
      },
    ],
  }
}

function factsOf({ secret, documentation, successes, needs = {} }: Sender, source: Settings): string {
  const rows = [
    ['secret', secret],
    ['proof', proofOf(source.verify)],
    ['event id', idOf(source.eventId, source.split)],
    ...(source.split === undefined ? [] : [['batches', batchesOf(source.split)]]),
    ['handshake', handshakeOf(source.handshake)],
    ...(successes === undefined ? [] : [['success', `${successes.join(', ')}; anything else is a failure`]]),
    ...Object.entries(needs).map(([setting, why]) => [`\`${setting}\``, why]),
    ['documentation', linkTo(documentation)],
  ]
  return ['| | |', '| --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n')
}

const linkTo = (page: string): string => `[${new URL(page).hostname}](${page})`

function idOf(eventId: Settings['eventId'], split: Settings['split']): string {
  if (eventId === 'digest') return `none: the digest of the ${split === undefined ? 'body' : 'item'}`
  if (eventId === 'new') return 'none: each delivery is an event'
  return [eventId]
    .flat()
    .map((place) => `\`${place}\``)
    .join(' and ')
}

const batchesOf = (split: Settings['split']): string =>
  split?.at === ''
    ? 'each item of the array is an event'
    : `each item of the array at \`${split?.at}\` is an event`

function proofOf(verify: Settings['verify']): string {
  switch (verify.scheme) {
    case 'bearer':
      return 'the secret as it is, in `Authorization: Bearer`'
    case 'api-key':
      return verify.header === undefined
        ? `the secret as it is, in the parameter \`${verify.query}\` of the query`
        : `the secret as it is, in the header \`${verify.header}\``
    case 'body-field':
      return `the secret as it is, at \`${verify.at}\` of the body`
    case 'standard-webhooks':
      return `HMAC-SHA256 in \`${verify.headerPrefix}signature\`, of \`${verify.headerPrefix}id\`, \`${verify.headerPrefix}timestamp\` and the body`
    case 'hmac':
      return `HMAC-${verify.algorithm.toUpperCase()} in \`${verify.header}\`, of \`${verify.signed}\``
    case 'ed25519':
    case 'ecdsa-p256':
      return `a signature with its private key (\`${verify.scheme}\`) in \`${verify.header}\`, of \`${verify.signed}\``
    default:
      return `\`${verify.scheme}\``
  }
}

function handshakeOf(handshake: Settings['handshake']): string {
  switch (handshake?.form) {
    case undefined:
      return 'none'
    case 'query':
      return `${handshake.method} with the parameter \`${handshake.parameter}\`, whose value comes back`
    case 'header':
      return `${handshake.method} with the header \`${handshake.header}\`, whose value comes back`
    case 'options':
      return 'OPTIONS, which grants the origin'
    case 'body':
      return `a body with ${Object.entries(handshake.when)
        .map(([place, value]) => `\`${JSON.stringify(value)}\` at \`${place}\``)
        .join(' and ')}`
  }
}
