import type { SenderResponse } from '../src/sandbox/sender.js'
import type { InTopic, TortureEvent } from './events.js'

/** A posted event and its result, as its sender sees it. Times in milliseconds since 1970. */
export interface Sent {
  readonly id: string
  readonly expected: TortureEvent['expected']
  readonly sentAt: number
  /** The time of its first correct response. */
  readonly answeredAt: number | undefined
  /** The different positions that responses of 2xx named. */
  readonly places: readonly string[]
  /** Wrong responses, in sentences. */
  readonly wrong: readonly string[]
}

/** The records of the sender. */
export interface Journal {
  readonly sent: readonly Sent[]
  /** The number of events with a response. */
  readonly answered: number
  open(event: TortureEvent): Sent
  /** Returns true if that settles it: a response that says "later" does not. */
  settle(entry: Sent, response: Omit<SenderResponse, 'refusals'>): boolean
}

type Mutable = { -readonly [member in keyof Sent]: Sent[member] } & { places: string[]; wrong: string[] }

/** `isShared`: there is an inbox, and events are accepted. */
export function createJournal(isShared = false): Journal {
  const sent: Mutable[] = []
  let answered = 0
  return {
    sent,
    get answered() {
      return answered
    },
    open({ id, expected }) {
      const entry: Mutable = {
        id,
        expected,
        sentAt: Date.now(),
        answeredAt: undefined,
        places: [],
        wrong: [],
      }
      sent.push(entry)
      return entry
    },
    settle(entry: Mutable, response) {
      const { status, body } = response
      if (status === 503) return false
      if (!(isShared ? isAccepted : isExpected)(entry, response)) {
        entry.wrong.push(`answered ${status} ${body?.['code'] ?? body?.['outcome'] ?? ''}`)
        return status < 500
      }
      if (entry.answeredAt === undefined) {
        entry.answeredAt = Date.now()
        answered++
      }
      if (isStored(entry)) {
        const place = `${body?.['topic']}/${body?.['partition']}/${body?.['offset']}`
        if (!entry.places.includes(place)) entry.places.push(place)
      }
      return true
    },
  }
}

export const isStored = (entry: Sent): entry is Sent & { expected: InTopic } =>
  entry.expected.kind !== 'rejected'

/** An event that already had a response gets `duplicate`, whatever its first result was. */
const OUTCOMES = { record: 'delivered', 'dead-letter': 'dead-lettered' } as const

/** With an inbox, no response says more. */
const isAccepted = (sent: Sent, response: Omit<SenderResponse, 'refusals'>): boolean =>
  sent.expected.kind === 'rejected'
    ? isExpected(sent, response)
    : response.status === 200 && response.body?.['id'] === sent.id && response.body['outcome'] === 'accepted'

function isExpected({ id, expected }: Sent, { status, body }: Omit<SenderResponse, 'refusals'>): boolean {
  if (expected.kind === 'rejected') return status === expected.status && body?.['code'] === expected.code
  const outcome = body?.['outcome']
  if (body?.['id'] !== id) return false
  if (outcome === 'duplicate') return status === 200
  return status === (expected.kind === 'record' ? 200 : 202) && outcome === OUTCOMES[expected.kind]
}
