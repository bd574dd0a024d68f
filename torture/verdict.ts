import type { InTopic } from './events.js'
import type { Trouble } from './headgate.js'
import { isStored, type Sent } from './journal.js'
import { placeOf, type SeenRecord } from './records.js'
import type { Acknowledged } from './simulator.js'

/** A run as seen from outside. */
export interface Observed {
  readonly sent: readonly Sent[]
  /** Everything in the topics of the config, dead letters included, as an independent consumer read it. */
  readonly records: readonly SeenRecord[]
  /** Everything in the inbox; undefined without one. Its positions are those in the responses. */
  readonly inbox?: readonly Pick<SeenRecord, 'topic' | 'partition' | 'offset' | 'id'>[] | undefined
  /** By id. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>
  readonly troubles: readonly Trouble[]
}

/** The promises that can be broken, with their meaning. */
export const BREACHES = {
  lost: 'answered 2xx, and not in Kafka',
  duplicates: 'records of an event beyond its first',
  misrouted: 'records where they do not belong, or not as they were sent, or not where the response says',
  'acknowledged before durable': 'ids acknowledged without a record, or before there was one',
  'never acknowledged': 'ids acknowledged less often than they have events that were answered 2xx',
  'wrong responses': 'events that got a response they must not get',
  'never answered': 'events without a response in the end',
  troubles: 'Headgate ended by itself, did not start, or did not stop in order',
} as const
export type Breach = keyof typeof BREACHES

export interface Violation {
  readonly breach: Breach
  readonly text: string
  /** The time, if it is known, in milliseconds since 1970. */
  readonly at: number
}

export interface Verdict {
  readonly counts: {
    readonly sent: number
    readonly answered: number
    readonly refused: number
    readonly inKafka: number
    readonly inDeadLetters: number
    readonly acknowledged: number
  }
  readonly violations: readonly Violation[]
}

/** Compares the observations with the sent events. */
export function judge({ sent, records, inbox, acknowledged, troubles }: Observed): Verdict {
  const stored = sent.filter(isStored)
  const judgement = new Judgement(stored)
  judgement.judgeRecords(records)
  judgement.judgeResponses(inbox)
  judgement.judgeSent(sent)
  judgement.judgeAcknowledgements(acknowledged)
  for (const { at, what } of troubles) judgement.report('troubles', at, what)
  return {
    counts: {
      sent: sent.length,
      answered: stored.filter(({ answeredAt }) => answeredAt !== undefined).length,
      refused: sent.filter((entry) => !isStored(entry) && entry.answeredAt !== undefined).length,
      inKafka: judgement.count('record'),
      inDeadLetters: judgement.count('dead-letter'),
      acknowledged: stored.filter(({ id }) => acknowledged.has(id)).length,
    },
    violations: judgement.violations,
  }
}

type Stored = Sent & { readonly expected: InTopic }

class Judgement {
  readonly violations: Violation[] = []
  readonly #recordsOf: Map<Stored, SeenRecord[]>
  readonly #ids: ReadonlyMap<string, readonly Stored[]>

  constructor(stored: readonly Stored[]) {
    this.#recordsOf = new Map(stored.map((entry) => [entry, []]))
    this.#ids = byId(stored)
  }

  /** Events of this kind that are in Kafka. */
  count(kind: InTopic['kind']): number {
    return [...this.#recordsOf].filter(
      ([entry, records]) => entry.expected.kind === kind && records.length > 0,
    ).length
  }

  report(breach: Breach, at: number, text: string): void {
    this.violations.push({ breach, at, text })
  }

  /** Each belongs to one event, is its first, and is where it should be. */
  judgeRecords(records: readonly SeenRecord[]): void {
    for (const record of records) {
      const { id = '', digest, appendedAt } = record
      const entry = this.#ids.get(id)?.find(({ expected }) => expected.digest === digest)
      if (entry === undefined) {
        const why = this.#ids.has(id)
          ? 'its value is not what was sent'
          : 'no event that belongs into Kafka has this id'
        this.report('misrouted', appendedAt, `${id} is at ${placeOf(record)}: ${why}.`)
        continue
      }
      const found = this.#recordsOf.get(entry) as SeenRecord[]
      found.push(record)
      const [first] = found
      if (first !== undefined && first !== record)
        this.report(
          'duplicates',
          appendedAt,
          `${id} is ${historyOf(first)}, and ${historyOf(record)}; ${answersTo(entry)}.`,
        )
      if (!belongs(record, entry.expected)) {
        const place = `${entry.expected.topic}/${entry.expected.partition ?? 'any'}`
        this.report('misrouted', appendedAt, `${id} is at ${placeOf(record)} and belongs into ${place}.`)
      }
    }
  }

  /** An event that was answered 2xx is in Kafka, where the response says. */
  judgeResponses(inbox: Observed['inbox']): void {
    const accepted = inbox && new Set(inbox.map((record) => `${placeOf(record)} ${record.id}`))
    for (const [{ id, answeredAt, places }, found] of this.#recordsOf) {
      if (answeredAt === undefined) continue
      if (found.length === 0)
        this.report('lost', answeredAt, `${id} got a response with ${places.join(', ')}.`)
      const wrong = places.filter((place) =>
        accepted === undefined
          ? !found.some((record) => placeOf(record) === place)
          : !accepted.has(`${place} ${id}`),
      )
      if (found.length > 0 && wrong.length > 0)
        this.report(
          'misrouted',
          answeredAt,
          `${id} got a response with ${wrong.join(', ')}, but its record is not there.`,
        )
    }
  }

  /** Each event got a response, and only right ones. */
  judgeSent(sent: readonly Sent[]): void {
    for (const { id, sentAt, answeredAt, wrong } of sent) {
      if (wrong.length > 0) this.report('wrong responses', sentAt, `${id} was ${wrong.join(', ')}.`)
      else if (answeredAt === undefined) this.report('never answered', sentAt, `${id} has no response.`)
    }
  }

  /** None before its record, and none missing. */
  judgeAcknowledgements(acknowledged: Observed['acknowledged']): void {
    for (const [id, { firstAt }] of acknowledged) {
      const appended = (this.#ids.get(id) ?? []).flatMap((entry) => this.#recordsOf.get(entry) ?? [])
      const firstAppended = Math.min(...appended.map(({ appendedAt }) => appendedAt))
      if (appended.length === 0) this.report('acknowledged before durable', firstAt, `${id} has no record.`)
      else if (firstAt < firstAppended)
        this.report(
          'acknowledged before durable',
          firstAt,
          `${id} was appended ${firstAppended - firstAt} ms later.`,
        )
    }
    for (const [id, entries] of this.#ids) {
      const due = entries.filter(
        (entry) => entry.answeredAt !== undefined && this.#recordsOf.get(entry)?.length,
      )
      const times = acknowledged.get(id)?.times ?? 0
      if (times >= due.length) continue
      const at = Math.max(...due.map(({ answeredAt }) => answeredAt ?? 0))
      const places = due.flatMap((entry) => this.#recordsOf.get(entry)?.map(placeOf) ?? [])
      const text = `${id} was acknowledged ${times} times of ${due.length}; it is at ${places.join(', ')}.`
      this.report('never acknowledged', at, text)
    }
  }
}

/** Ids with fewer acknowledgements than events that got 2xx. */
export function unacknowledged(
  sent: readonly Sent[],
  acknowledged: ReadonlyMap<string, Acknowledged>,
): string[] {
  const answered = sent.filter(isStored).filter(({ answeredAt }) => answeredAt !== undefined)
  return [...byId(answered)]
    .filter(([id, entries]) => (acknowledged.get(id)?.times ?? 0) < entries.length)
    .map(([id]) => id)
}

/** The position of a record, and its origin. */
const historyOf = (record: SeenRecord): string =>
  `at ${placeOf(record)} since ${clock(record.appendedAt)} under revision ${record.revision ?? 'unknown'}`

const answersTo = ({ sentAt, answeredAt, places }: Sent): string =>
  `it was sent first at ${clock(sentAt)} and answered ${
    answeredAt === undefined ? 'never' : `at ${clock(answeredAt)} with ${places.join(', ')}`
  }`

/** As in Headgate's log. */
const clock = (at: number): string => new Date(at).toISOString().slice(11, 23)

function byId<Entry extends Sent>(entries: readonly Entry[]): Map<string, Entry[]> {
  const ids = new Map<string, Entry[]>()
  for (const entry of entries) {
    const others = ids.get(entry.id)
    if (others === undefined) ids.set(entry.id, [entry])
    else others.push(entry)
  }
  return ids
}

const belongs = ({ topic, partition }: SeenRecord, expected: InTopic): boolean =>
  topic === expected.topic && (expected.partition ?? partition) === partition
