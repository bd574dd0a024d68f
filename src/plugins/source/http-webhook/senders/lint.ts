import { isDeepStrictEqual } from 'node:util'
import type { LintContext, LintFinding, LintMeaning } from '../../../../contract/index.js'
import { milliseconds } from '../../../../lib/units.js'
import { STATUS } from '../responder.js'
import type { Settings } from '../settings.js'
import { senderOf } from './index.js'
import type { Sender } from './sender.js'

/** The warnings of `senderFindings`. */
export const SENDER_LINTS: Readonly<{ [name: string]: LintMeaning }> = {
  'sender-time-limit': {
    meaning: 'The `responseTimeout` is not below the time that the sender waits.',
    why: 'While Kafka is slow, the sender gives up before Headgate responds, counts a failure, and delivers again, although the event may be in Kafka.',
  },
  'sender-redelivery': {
    meaning:
      'The sender can change the body between two deliveries of an event, and `redelivery.by` is "id+bytes".',
    why: 'A redelivery with another body becomes a second record, although the sender gives each event an id of its own.',
  },
  'sender-response': {
    meaning: 'The response to an event that is taken has a status that the sender takes for a failure.',
    why: 'The sender delivers the event again, although Headgate has it, and may turn the webhook off in the end.',
  },
  'sender-handshake': {
    meaning: 'The sender registers its URL by a handshake, and `handshake` is not the one that it documents.',
    why: 'The registration of the URL fails, and the sender sends no events, or stops when it asks again.',
  },
  'sender-verification': {
    meaning: 'The setting `verify` has a scheme that the sender does not document.',
    why: 'Requests of the sender are then refused, unless something between the two verifies them and signs them again.',
  },
}

/** Settings that leave the documentation of the sender. */
export function* senderFindings(
  config: Settings,
  redeliveryBy: LintContext['redeliveryBy'],
): Iterable<LintFinding> {
  const { sender: name, responseTimeout, verify, eventId } = config
  const sender = senderOf(name)
  if (sender === undefined) return
  yield* responseFindings(sender, config)
  yield* handshakeFindings(sender, config)
  const { title, timeLimit, settings, redelivery, otherSchemes = [] } = sender
  if (timeLimit !== undefined && milliseconds(responseTimeout) >= milliseconds(timeLimit))
    yield {
      at: '/responseTimeout',
      name: 'sender-time-limit',
      message: `${title} waits ${timeLimit} for a response, and \`responseTimeout\` is ${responseTimeout}.`,
      suggestion: `Remove \`responseTimeout\`: the sender "${name}" sets ${settings['responseTimeout']}.`,
    }
  if (redelivery === 'id' && redeliveryBy !== 'id' && isDeepStrictEqual(eventId, settings['eventId']))
    yield {
      at: '/sender',
      name: 'sender-redelivery',
      message: `${title} can change the body of an event that it delivers again, and the pipeline takes the same id with other bytes for another event.`,
      suggestion: 'Set "redelivery": {"by": "id"} in the pipeline.',
    }
  const { scheme } = settings['verify'] as { readonly scheme: string }
  if (verify.scheme !== scheme && !otherSchemes.includes(verify.scheme))
    yield {
      at: '/verify/scheme',
      name: 'sender-verification',
      message: `${title} proves itself by the scheme "${scheme}", and \`verify\` has "${verify.scheme}".`,
    }
}

function* responseFindings({ title, successes }: Sender, { responses }: Settings): Iterable<LintFinding> {
  if (successes === undefined) return
  for (const [outcome, usual] of Object.entries(STATUS)) {
    const status = responses[outcome as keyof typeof STATUS]?.status ?? usual
    if (successes.includes(status)) continue
    yield {
      at: `/responses/${outcome}`,
      name: 'sender-response',
      message: `${title} takes only ${successes.join(', ')} for a success, and the response to the outcome "${outcome}" has ${status}.`,
      suggestion: `Use {"status": ${successes[0]}}.`,
    }
  }
}

function* handshakeFindings({ title, settings }: Sender, { handshake }: Settings): Iterable<LintFinding> {
  const documented = settings['handshake'] as { readonly form: string } | undefined
  if (documented === undefined || handshake?.form === documented.form) return
  yield {
    at: '/handshake',
    name: 'sender-handshake',
    message: `${title} registers its URL by a handshake of the form "${documented.form}", and \`handshake\` ${
      handshake === undefined ? 'is left out' : `has "${handshake.form}"`
    }.`,
  }
}

/** Whether a setting is the one that the sender stands for: then there is nothing better, and no reason to warn. */
export function isOfSender({ sender: name, ...settings }: Settings, finding: LintFinding): boolean {
  const preset = senderOf(name)?.settings
  if (preset === undefined) return false
  return finding.at === '/verify/signed'
    ? (preset['verify'] as { readonly signed?: string }).signed ===
        (settings.verify as { readonly signed?: string }).signed
    : finding.at === '/eventId' && isDeepStrictEqual(preset['eventId'], settings.eventId)
}
