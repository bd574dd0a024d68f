import { randomUUID } from 'node:crypto'
import type { SinkRecord } from '../../src/contract/index.js'
import { type DiscardOptions, type DiscardResult, discard } from '../../src/dead-letters/discard.js'
import { findLetters } from '../../src/dead-letters/find.js'
import type { Judgement } from '../../src/dead-letters/judge.js'
import { type ReplayOptions, type ReplayResult, replay } from '../../src/dead-letters/replay.js'
import { CONNECT, HEADER } from '../../src/ledger/record-headers.js'
import type { MemoryTopics } from '../helpers/kafka/memory-topics.js'

export const DLQ = 'dlq'
export const PIPELINE = 'orders'

export interface LetterParts {
  readonly partition?: number
  readonly pipeline?: string
  readonly code?: string
  readonly stage?: string
  readonly rule?: string
  readonly value?: string | Buffer
  readonly contentType?: string
  readonly violations?: string
  readonly request?: string
}

/** A dead letter as `records.ts` writes it, as far as reading it back goes. */
export const letterRecord = (id: string, parts: LetterParts = {}): SinkRecord => {
  const {
    partition = 0,
    pipeline = PIPELINE,
    code = 'HG_SCHEMA_VIOLATION',
    stage = 'transform.0.json-schema',
  } = parts
  const headers = {
    [HEADER.id]: id,
    [HEADER.digest]: `digest of ${id}`,
    [HEADER.pipeline]: pipeline,
    [HEADER.revision]: 'abc',
    [`${CONNECT}class.name`]: stage.split('.').at(-1) ?? '',
    [`${CONNECT}exception.class.name`]: code,
    [`${CONNECT}exception.message`]: 'It does not fit.',
    [HEADER.stage]: stage,
    ...(parts.rule !== undefined && { [HEADER.route]: parts.rule }),
    ...(parts.violations !== undefined && { [HEADER.violations]: parts.violations }),
    ...(parts.request !== undefined && { [HEADER.request]: parts.request }),
    ...(parts.contentType !== undefined && { [HEADER.contentType]: parts.contentType }),
  }
  return {
    target: { topic: DLQ, partition },
    key: Buffer.from(id),
    value: Buffer.isBuffer(parts.value) ? parts.value : Buffer.from(parts.value ?? JSON.stringify({ id })),
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  }
}

/** Every letter passes to topic `events`, partition 0. */
export const passes = async (letter: { readonly id: string }, value: Buffer): Promise<Judgement> => ({
  kind: 'passes',
  record: {
    target: { topic: 'events', partition: 0 },
    key: Buffer.from(letter.id),
    value,
    headers: [{ name: HEADER.id, value: letter.id }],
  },
})

export interface Replay {
  /** The number of letters that the run chose before it began. */
  readonly chosen: number
  go(): Promise<ReplayResult>
}

const findOpen = (log: MemoryTopics['log']) =>
  findLetters({ log, topic: DLQ, pipeline: PIPELINE, filter: {}, includeSettled: false, onProgress() {} })

/** A run up to the point where it knows what it will send: others may come in between. */
export async function prepare(topics: MemoryTopics, overrides: Partial<ReplayOptions> = {}): Promise<Replay> {
  const { log } = topics
  const found = await findOpen(log)
  const letters = found.letters.map(({ letter }) => letter)
  return {
    chosen: letters.length,
    go: () =>
      replay({
        log,
        send: topics.send,
        pipeline: PIPELINE,
        topic: DLQ,
        run: { id: randomUUID(), by: 'a test' },
        histories: found.histories,
        letters,
        judge: passes,
        rate: undefined,
        signal: new AbortController().signal,
        giveUp: async () => {},
        sendWithin: 200,
        onProgress() {},
        onInDoubt() {},
        ...overrides,
      }),
  }
}

export const replayAll = async (
  topics: MemoryTopics,
  overrides: Partial<ReplayOptions> = {},
): Promise<ReplayResult> => (await prepare(topics, overrides)).go()

/** The ids of what stands in topic `events`, with how often. */
export const sentIds = (topics: MemoryTopics): string[] =>
  topics.records('events').map((record) => record.header(HEADER.id) ?? '')

/** Discards what is open now, and says when it has chosen. */
export async function prepareDiscard(
  topics: MemoryTopics,
  overrides: Partial<DiscardOptions> = {},
): Promise<() => Promise<DiscardResult>> {
  const { log } = topics
  const found = await findOpen(log)
  return () =>
    discard({
      log,
      send: topics.send,
      pipeline: PIPELINE,
      topic: DLQ,
      run: { id: randomUUID(), by: 'a test' },
      histories: found.histories,
      letters: found.letters.map(({ letter }) => letter),
      reason: 'nobody needs them',
      signal: new AbortController().signal,
      sendWithin: 200,
      onProgress() {},
      onInDoubt() {},
      ...overrides,
    })
}
