import type { LintContext, LintFinding, LintMeaning } from '../../../contract/index.js'
import { isRequired } from '../../../lib/json/schema-places.js'
import { isOfRequest } from '../../../lib/locator.js'
import { codecRemedy, missingCodecs } from './failures.js'
import { clientConfig, type Properties } from './properties.js'
import { RECORD_OVERHEAD } from './record.js'

export const LINTS = {
  'key-not-required': {
    meaning: 'The key of the records comes from a value that no earlier stage requires.',
    why: 'An event without it is a data error, by default status 422. Require the value in the JSON Schema, or set `keyFallback`.',
  },
  'body-beyond-client': {
    meaning: 'The source accepts larger bodies than the largest record of the sink.',
    why: 'The sink rejects such an event with status 413, and the event is too large for the dead-letter topic as well. Lower `maxBody`, or raise `message.max.bytes` of the sink and `max.message.bytes` of the topics.',
  },
  'codec-missing': {
    meaning: 'The Kafka client of this installation was built without a codec that topics may use.',
    why: 'Without the state directory, a start reads the records back from Kafka. One unreadable record in a topic then closes the pipeline: every event gets status 503. Install the packages that the message names, and build the client again.',
  },
} as const satisfies { readonly [name: string]: LintMeaning }

interface Settings {
  readonly key?: string
  readonly keyFallback: string
  readonly brokers: string
  readonly properties: Properties
}

export function* codecFindings(missing = missingCodecs()): Generator<LintFinding> {
  if (missing.length === 0) return
  yield {
    at: '',
    name: 'codec-missing' satisfies keyof typeof LINTS,
    message: `The Kafka client of this installation was built without ${missing.join(', ')}: it cannot read records compressed with it.`,
    suggestion: codecRemedy(missing),
  }
}

export function* lint(settings: Settings, { ensured, maxBody }: LintContext): Generator<LintFinding> {
  yield* codecFindings()
  const { key, keyFallback } = settings
  // After a transform that may change the event, nothing at all is known of it.
  const isKnown = ensured.length > 0
  const isInBody = key !== undefined && !isOfRequest(key)
  if (isInBody && keyFallback === 'refuse' && isKnown && !isRequired(ensured, key)) {
    yield {
      at: '/key',
      name: 'key-not-required' satisfies keyof typeof LINTS,
      message: `No earlier stage requires that an event has ${key}: an event without it is rejected.`,
      suggestion: 'Require it in the JSON Schema of the events, or set `keyFallback`.',
    }
  }
  const { global } = clientConfig(settings.brokers, settings.properties, '')
  const limit = Number(global['message.max.bytes'])
  if (maxBody !== undefined && limit < maxBody + RECORD_OVERHEAD) {
    yield {
      at: 'message.max.bytes' in settings.properties ? '/properties/message.max.bytes' : '',
      name: 'body-beyond-client' satisfies keyof typeof LINTS,
      message: `The source takes bodies of up to ${maxBody} bytes (maxBody), the sink records of up to ${limit} (message.max.bytes): with key and headers, a record may need ${RECORD_OVERHEAD} bytes more than its body.`,
      suggestion: `Set "message.max.bytes" in \`properties\` to ${maxBody + RECORD_OVERHEAD}, or lower \`maxBody\`.`,
    }
  }
}
