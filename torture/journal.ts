import type { SenderResponse } from '../src/sandbox/sender.js'
import type { InTopic, TortureEvent } from './events.js'

/** An event that was posted, and what came of it as its sender sees it. Times in milliseconds since 1970. */
export interface Sent {
  readonly id: string
  readonly expected: TortureEvent['expected']
  readonly sentAt: number
  /** When it was first answered as it has to be. */
  readonly answeredAt: number | undefined
  /** The different places that answers of 2xx named. */
  readonly places: readonly string[]
  /** Answers that it must not get, in sentences. */
  readonly wrong: readonly string[]
}

/** What the sender writes down. */
export interface Journal {
  readonly sent: readonly Sent[]
  /** How many events have an answer. */
  readonly answered: number
  open(event: TortureEvent): Sent
  /** Tells whether that settles it: an answer that says "later" does not. */
  answer(entry: Sent, answer: Omit<SenderResponse, 'refusals'>): boolean
}

type Mutable = { -readonly [member in keyof Sent]: Sent[member] } & { places: string[]; wrong: string[] }

export function createJournal(): Journal {
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
    answer(entry: Mutable, answer) {
      const { status, body } = answer
      if (status === 503) return false
      if (!isExpected(entry, answer)) {
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

/** What was answered before is answered `duplicate`, whatever became of it then. */
const OUTCOMES = { record: 'delivered', 'dead-letter': 'dead-lettered' } as const

function isExpected({ id, expected }: Sent, { status, body }: Omit<SenderResponse, 'refusals'>): boolean {
  if (expected.kind === 'rejected') return status === expected.status && body?.['code'] === expected.code
  const outcome = body?.['outcome']
  if (body?.['id'] !== id) return false
  if (outcome === 'duplicate') return status === 200
  return status === (expected.kind === 'record' ? 200 : 202) && outcome === OUTCOMES[expected.kind]
}
