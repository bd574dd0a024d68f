import { expect, test } from 'vitest'
import { type FindOptions, findLetters, readLetter } from '../../src/dead-letters/find.js'
import { noteRecord } from '../../src/dead-letters/notes.js'
import { digestOf } from '../../src/ledger/identity.js'
import { HEADER } from '../../src/ledger/record-headers.js'
import { recordMac } from '../../src/pipeline/record-mac.js'
import { type MemoryTopics, memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, PIPELINE, replayAll } from './setup.js'

const proof = recordMac('the key of the pipeline')
const other = recordMac('the key of somebody else')

/** A dead letter with the digest of its bytes, and these headers in addition. */
function letter(id: string, headers: { readonly [name: string]: string }) {
  const record = letterRecord(id)
  const all = [...record.headers].filter(({ name }) => name !== HEADER.digest)
  const more = Object.entries({ [HEADER.digest]: digestOf(record.value), ...headers })
  return { ...record, headers: [...all, ...more.map(([name, value]) => ({ name, value }))] }
}

const genuine = (id: string, mac = proof) =>
  letter(id, { [HEADER.mac]: mac.of(DLQ, id, digestOf(letterRecord(id).value)) })

const statuses = async (topics: MemoryTopics, options: Partial<FindOptions> = {}) => {
  const { letters } = await findLetters({
    log: topics.log,
    topic: DLQ,
    pipeline: PIPELINE,
    filter: {},
    includeSettled: false,
    proof,
    onProgress() {},
    ...options,
  })
  return Object.fromEntries(letters.map(({ letter: { id }, status }) => [id, status.kind]))
}

test('a dead letter that the key does not prove is listed as unknown', async () => {
  const topics = memoryTopics({ events: 1, [DLQ]: 1 })
  await topics.send(genuine('ours'))
  await topics.send(letter('without', {}))
  await topics.send(genuine('with-another-key', other))
  await topics.send({ ...genuine('other-bytes'), value: Buffer.from('{"amount": 1000000}') })
  const copied = genuine('ours').headers.find(({ name }) => name === HEADER.mac)?.value ?? ''
  await topics.send(letter('copied', { [HEADER.mac]: copied }))
  const request = '{"headers":{"x-kind":"push"}}'
  const withRequest = (id: string, written: string) => {
    const mac = proof.of(DLQ, id, digestOf(letterRecord(id).value), request)
    return letter(id, { [HEADER.mac]: mac, [HEADER.request]: written })
  }
  await topics.send(withRequest('with-request', request))
  await topics.send(withRequest('other-request', request.replace('push', 'ping')))
  const unknown = {
    'other-request': 'unknown',
    without: 'unknown',
    'with-another-key': 'unknown',
    'other-bytes': 'unknown',
    copied: 'unknown',
  }
  expect(await statuses(topics)).toEqual({ ours: 'open', 'with-request': 'open', ...unknown })
  const one = await readLetter(topics.log, { topic: DLQ, partition: 0, offset: 1 }, PIPELINE, proof)
  expect(one).toMatchObject({ kind: 'found', found: { status: { kind: 'unknown' } } })
})

test('without a key of the process, nothing is unknown', async () => {
  const topics = memoryTopics({ events: 1, [DLQ]: 1 })
  await topics.send(letter('without', {}))
  expect(await statuses(topics, { proof: undefined })).toEqual({ without: 'open' })
})

test('a replay with the key settles, and its notes count only if the key proves them', async () => {
  const topics = memoryTopics({ events: 1, [DLQ]: 1 })
  await topics.send(genuine('sent'))
  await replayAll(topics, { proof })
  expect(await statuses(topics, { includeSettled: true })).toEqual({ sent: 'replayed' })
  expect(await statuses(topics, { includeSettled: true, proof: other })).toEqual({ sent: 'unknown' })
})

test.each([undefined, other])('a note of somebody else hides no dead letter', async (theirs) => {
  const topics = memoryTopics({ events: 1, [DLQ]: 1 })
  await topics.send(genuine('ours'))
  const at = { topic: DLQ, partition: 0, pipeline: PIPELINE }
  await topics.send(noteRecord(at, { kind: 'begun', run: 'theirs', by: 'somebody' }, 0, theirs))
  await topics.send(
    noteRecord(at, { kind: 'discarded', run: 'theirs', reason: 'hidden', offsets: [0] }, 1, theirs),
  )
  expect(await statuses(topics, { proof: undefined })).toEqual({})
  expect(await statuses(topics)).toEqual({ ours: 'unknown' })
})

test('a proven note does not count as another kind, in another partition, or with other content', async () => {
  const at = { topic: DLQ, partition: 0, pipeline: PIPELINE }
  const note = noteRecord(at, { kind: 'discarded', run: 'ours', reason: 'old', offsets: [0] }, 1, proof)
  const changed = [
    { ...note, value: Buffer.from(note.value.toString().replace('"old"', '"new"')) },
    { ...note, target: { topic: DLQ, partition: 1 } },
    { ...note, key: Buffer.from('another') },
  ]
  for (const [index, record] of changed.entries()) {
    const topics = memoryTopics({ events: 1, [DLQ]: 2 })
    await topics.send({ ...genuine('ours'), target: { topic: DLQ, partition: index === 1 ? 1 : 0 } })
    await topics.send(record)
    expect(await statuses(topics)).toEqual({ ours: 'unknown' })
  }
  const topics = memoryTopics({ events: 1, [DLQ]: 1 })
  await topics.send(genuine('ours'))
  await topics.send(note)
  expect(await statuses(topics)).toEqual({})
})
