import { isDeepStrictEqual } from 'node:util'
import type { LintContext, LintFinding, LintMeaning } from '../../../../contract/index.js'
import { milliseconds } from '../../../../lib/units.js'
import type { Settings } from '../settings.js'
import { senderOf } from './index.js'

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
  'sender-verification': {
    meaning: 'The setting `verify` has another scheme than the sender documents.',
    why: 'Requests of the sender are then refused, unless something between the two verifies them and signs them again.',
  },
}

/** Settings that leave the documentation of the sender. */
export function* senderFindings(
  { sender: name, responseTimeout, verify, eventId }: Settings,
  redeliveryBy: LintContext['redeliveryBy'],
): Iterable<LintFinding> {
  const sender = senderOf(name)
  if (sender === undefined) return
  const { title, timeLimit, settings, redelivery } = sender
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
  if (verify.scheme !== scheme)
    yield {
      at: '/verify/scheme',
      name: 'sender-verification',
      message: `${title} proves itself by the scheme "${scheme}", and \`verify\` has "${verify.scheme}".`,
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
