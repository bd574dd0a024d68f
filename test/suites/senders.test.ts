import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { httpWebhook } from '../../src/plugins/source/http-webhook/index.js'
import { senderOf } from '../../src/plugins/source/http-webhook/senders/index.js'
import type { Sender } from '../../src/plugins/source/http-webhook/senders/sender.js'
import type { Settings } from '../../src/plugins/source/http-webhook/settings.js'
import { senderKey } from '../../src/plugins/source/http-webhook/simulated-sender/key.js'
import { type ProvedRequest, prover } from '../../src/plugins/source/http-webhook/simulated-sender/proof.js'
import { simulatedEvent } from '../../src/plugins/source/http-webhook/simulated-sender/request.js'
import { fillDefaults } from '../helpers/context.js'
import { startWebhook } from '../plugins/source/http-webhook/webhook.js'
import { countSuite } from './count.js'
import { SIGNING, type SigningLibrary } from './senders/signing.js'
import { VERIFYING, type VerifyingLibrary } from './senders/verifying.js'

/** Seconds since 1970. */
const AT = 1_767_225_600
const TOLERANCE = 5 * 60

/** Texts whose bytes differ by how a body is decoded and written again. */
const TEXTS = [
  'plain',
  '',
  'Gar\u00e7on, 5 \u20ac, \u{1f600}',
  'a "quoted" \\ and a \u2028 line\n\tbreak',
  "it's 100% + 1 & 2 = <b>&amp;</b>; %41%",
]

/** A request that the library has made, or that is no longer as the library made it. */
interface Vector {
  readonly title: string
  readonly request: ProvedRequest
  readonly secrets: readonly string[]
  readonly passes: boolean
  /** False if the sender leaves it to its users to refuse such a request. */
  readonly libraryAgrees?: false
}

async function vectorsOf(library: SigningLibrary): Promise<Vector[]> {
  const perText = await Promise.all(TEXTS.map((text) => ofText(library, text)))
  return [...perText.flat(), ...(await timed(library)), ...(await rotated(library))]
}

async function ofText(library: SigningLibrary, text: string): Promise<Vector[]> {
  const { proof, signsBody, secrets } = library
  const [secret, other] = secrets
  const signed = await library.sign(library.request(text), secret, AT)
  const title = JSON.stringify(text)
  const forged = (how: string, request: ProvedRequest): Vector => ({
    title: `${title}, ${how}`,
    request,
    secrets: [secret],
    passes: false,
  })
  const { [proof]: signature = '', ...others } = signed.headers
  return [
    { title: `${title}, as it was signed`, request: signed, secrets: [secret], passes: true },
    {
      title: `${title}, with the second of two secrets`,
      request: signed,
      secrets: [other, secret],
      passes: true,
    },
    forged('signed with another secret', await library.sign(library.request(text), other, AT)),
    forged('without its signature', { ...signed, headers: others }),
    forged('with another signature', withProof(library, signed, changed(signature))),
    ...(signsBody
      ? [
          forged('with another body', { ...signed, body: widened(signed.body) }),
          forged('with the signature of another body', {
            ...(await library.sign(library.request(`${text}.`), secret, AT)),
            body: signed.body,
          }),
        ]
      : []),
    ...(signed.query === '' ? [] : [forged('at another URL', { ...signed, query: `${signed.query}&b=1` })]),
  ]
}

/** At the edges of the time in which a signature is valid. */
async function timed(library: SigningLibrary): Promise<Vector[]> {
  if (!library.signsTime) return []
  const [secret] = library.secrets
  const at = async (seconds: number): Promise<Omit<Vector, 'title' | 'passes'>> => ({
    request: await library.sign(library.request('timed'), secret, AT + seconds),
    secrets: [secret],
  })
  return [
    { title: 'as old as a signature may be', ...(await at(-TOLERANCE)), passes: true },
    { title: 'too old', ...(await at(-TOLERANCE - 1)), passes: false },
    { title: 'a day old', ...(await at(-86_400)), passes: false },
    {
      title: 'of a time to come',
      ...(await at(TOLERANCE + 1)),
      passes: false,
      // Stripe only asks how old a signature is.
      ...(library.sender === 'stripe' && { libraryAgrees: false }),
    },
  ]
}

/** The sender signs with the old secret and with the new one. */
async function rotated(library: SigningLibrary): Promise<Vector[]> {
  const { joined, proof, secrets } = library
  if (joined === undefined) return []
  const [one, other] = await Promise.all(
    secrets.map((secret) => library.sign(library.request('rotated'), secret, AT)),
  )
  if (one === undefined || other === undefined) throw new Error('two secrets were expected')
  const both = withProof(library, one, joined(String(one.headers[proof]), String(other.headers[proof])))
  const none = withProof(
    library,
    one,
    joined(changed(String(one.headers[proof])), changed(String(other.headers[proof]))),
  )
  return [
    {
      title: 'signed with both secrets, for the old one',
      request: both,
      secrets: [secrets[0]],
      passes: true,
    },
    {
      title: 'signed with both secrets, for the new one',
      request: both,
      secrets: [secrets[1]],
      passes: true,
    },
    { title: 'with two wrong signatures', request: none, secrets: [secrets[0]], passes: false },
  ]
}

const withProof = ({ proof }: SigningLibrary, request: ProvedRequest, value: string): ProvedRequest => ({
  ...request,
  headers: { ...request.headers, [proof]: value },
})

/** Another character near the end, where neither the form of a signature nor the bits that base64 ignores are. */
function changed(signature: string): string {
  const at = signature.length - 10
  return `${signature.slice(0, at)}${signature[at] === '0' ? '1' : '0'}${signature.slice(at + 1)}`
}

/** The same JSON or form to a parser, or nearly. */
const widened = (body: string): string => (/^[{[]/.test(body) ? `${body} ` : `${body}&b=1`)

async function isAccepted(
  { accepts }: VerifyingLibrary,
  request: ProvedRequest,
  secret: string,
): Promise<boolean> {
  try {
    return await accepts(request, secret)
  } catch {
    return false
  }
}

const SUITES = await Promise.all(
  SIGNING.map(async (library) => ({ name: library.name, library, vectors: await vectorsOf(library) })),
)
/** Events that the simulated sender of Headgate signs, for each library that verifies. */
const SIMULATED = 10

for (const { name, vectors } of SUITES) countSuite(`${name}, requests that it signs`, vectors.length)
for (const { name } of VERIFYING) countSuite(`${name}, requests that it verifies`, 2 * SIMULATED)

describe.each(SUITES)('$name signs', ({ library, vectors }) => {
  beforeEach(() => void vi.useFakeTimers({ now: AT * 1000, toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  const { sender, settings, id, verifiedBy } = library
  const verifying = VERIFYING.find(({ name }) => name === verifiedBy)

  it.each(vectors)('$title: passes $passes', async ({ request, secrets, passes, libraryAgrees = true }) => {
    const { ask, events } = await startWebhook({
      eventId: undefined,
      verify: undefined,
      sender,
      secrets,
      ...settings,
    })
    const { method, query, headers, body } = request
    const { status, text } = await ask(method, query === '' ? '' : `?${query}`, headers, body)
    expect(status, text).toBe(passes ? 200 : 401)
    expect(events.map((event) => event.id)).toEqual(passes ? [id] : [])

    if (verifying === undefined) return
    const verdicts = await Promise.all(secrets.map((secret) => isAccepted(verifying, request, secret)))
    expect(verdicts.includes(true), 'the verdict of the library').toBe(passes === libraryAgrees)
  })
})

describe.each(VERIFYING)('$name verifies', (library) => {
  const sender = senderOf(library.sender) as Sender
  const scheme = sender.settings['verify'] as Parameters<typeof senderKey>[0]
  const { configured, privateKey } = senderKey(scheme, 'a-secret-of-this-suite')
  const settings = fillDefaults(httpWebhook, {
    path: '/in',
    sender: sender.name,
    secrets: [configured],
    ...library.settings,
  }) as Settings
  const prove = prover(settings, privateKey)

  it('each event that the simulated sender of Headgate proves, and none that is changed', async () => {
    for (let n = 0; n < SIMULATED; n++) {
      const request = prove(simulatedEvent(sender.event, settings, `event-${n}`))
      expect(await isAccepted(library, request, configured), `event ${n}`).toBe(true)
      const other = { ...request, body: request.body.replace(/[a-z]/, 'X') }
      expect(await isAccepted(library, other, configured), `event ${n}, changed`).toBe(false)
    }
  })
})
