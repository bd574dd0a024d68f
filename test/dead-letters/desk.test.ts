import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { DeadLetterDesk } from '../../src/dead-letters/desk.js'
import type { Judgement } from '../../src/dead-letters/judge.js'
import type {
  LetterDetail,
  LetterPage,
  LetterSelection,
  LettersRequest,
  RunPlan,
  RunState,
} from '../../src/dead-letters/messages.js'
import type { DeadLetterSession } from '../../src/dead-letters/session.js'
import { HEADER } from '../../src/ledger/record-headers.js'
import { pointer } from '../../src/lib/json/pointer.js'
import { redactor } from '../../src/process/redact.js'
import { memoryTopics } from '../helpers/kafka/memory-topics.js'
import { DLQ, letterRecord, PIPELINE, passes, sentIds } from './setup.js'

const SECRETS = new Map([['the-secret-of-it', '${env:S}']])

/** A body passes, unless it says that it is bad. */
const judge = async (letter: { readonly id: string }, value: Buffer): Promise<Judgement> =>
  value.includes('bad')
    ? { kind: 'fails', error: new HeadgateError('HG_SCHEMA_VIOLATION', `No: ${value}.`) }
    : passes(letter, value)

/** A desk on the dead letters with these bodies; their ids are e0, e1 and so on. */
async function deskOn(
  bodies: readonly (string | Buffer)[],
  mask: readonly string[] = [],
  contentType?: string,
) {
  const topics = memoryTopics({ events: 1, [DLQ]: 1 })
  for (const [n, value] of bodies.entries())
    await topics.send(
      letterRecord(`e${n}`, {
        ...{ value, violations: '[{"pointer":"/n","message":"is 4111"}]' },
        ...(contentType !== undefined && { contentType }),
      }),
    )
  const session = {
    delivery: { name: PIPELINE, sink: { send: topics.send } },
    log: topics.log,
    topic: DLQ,
    judge,
    redact: redactor(SECRETS),
    giveUp: async () => {},
  } as unknown as DeadLetterSession
  const runs: RunState[] = []
  const desk = new DeadLetterDesk({
    session,
    masks: mask.map((text) => pointer(text).tokens),
    secrets: SECRETS,
    onRun: (run) => void runs.push(run),
  })
  const ask = async <Result>(request: LettersRequest) => (await desk.handle(request)) as Result
  const list = (selection: LetterSelection = {}, more: Partial<LettersRequest> = {}) =>
    ask<LetterPage>({
      ...{ kind: 'list', selection, status: 'open', offset: 0, limit: 100, refresh: true },
      ...(more as object),
    } as LettersRequest)
  const ended = () => expect.poll(() => runs.at(-1)?.state).toBe('ended')
  return { topics, ask, list, runs, ended }
}

const ids = ({ letters }: LetterPage) => letters.map(({ id }) => id)

test('a list has the newest first, in pages, with the count of each code and of those that would pass', async () => {
  const { list } = await deskOn(['{}', '{"n":"bad"}', '{}'])
  const first = await list({}, { limit: 2 } as never)
  expect(first).toMatchObject({ total: 3, passing: 2, codes: [{ value: 'HG_SCHEMA_VIOLATION', count: 3 }] })
  expect(ids(first)).toEqual(['e2', 'e1'])
  expect(ids(await list({}, { offset: 2 } as never))).toEqual(['e0'])
  expect(first.letters[1]?.prospect).toMatchObject({ kind: 'fails', code: 'HG_SCHEMA_VIOLATION' })
})

const at = (offset: number) => ({ topic: undefined, partition: 0, offset })

test.each<[string, LetterSelection, string[]]>([
  ['positions', { refs: [at(0), at(7)] }, ['e0']],
  ['an id', { id: 'e1' }, ['e1']],
  ['a text of the message', { text: 'NOT FIT' }, ['e1', 'e0']],
  ['a text that no one has', { text: 'nothing' }, []],
  ['the prospect', { passes: false }, ['e1']],
  ['a time', { until: 0 }, []],
])('a list can be filtered by %s', async (_, selection, expected) => {
  const { list } = await deskOn(['{}', '{"n":"bad"}'])
  expect(ids(await list(selection))).toEqual(expected)
})

test('the values of a filter that can be chosen are counted under the other filters', async () => {
  const { list, topics } = await deskOn([])
  const refused = { code: 'HG_ROUTE_REFUSED', stage: 'transform.1.route' }
  await topics.send(letterRecord('a'))
  await topics.send(letterRecord('b', { ...refused, rule: 'eu' }))
  await topics.send(letterRecord('c', { ...refused, rule: 'us', value: '{"n":"bad"}' }))
  const codes = [
    { value: 'HG_ROUTE_REFUSED', count: 2 },
    { value: 'HG_SCHEMA_VIOLATION', count: 1 },
  ]
  expect(await list({ code: 'HG_ROUTE_REFUSED' })).toMatchObject({
    ...{ total: 2, codes, stages: [{ value: 'transform.1.route', count: 2 }] },
    rules: [
      { value: 'us', count: 1 },
      { value: 'eu', count: 1 },
    ],
  })
  expect(await list({ rule: 'eu', passes: true })).toMatchObject({
    ...{ total: 1, codes: [{ value: 'HG_ROUTE_REFUSED', count: 1 }] },
    rules: [{ value: 'eu', count: 1 }],
  })
})

test('a filter finds nothing that the pipeline masks', async () => {
  const { list } = await deskOn(['{"n":"e0"}'], ['/n'])
  expect(ids(await list())).toEqual(['***'])
  expect(await list({ id: 'e0' })).toMatchObject({ total: 0 })
  expect(await list({ text: 'e0' })).toMatchObject({ total: 0 })
})

test('all that are there are selected up to the newest, whichever clock wrote its time', async () => {
  const { list, topics } = await deskOn([])
  await topics.send(letterRecord('a'))
  const { newest, readAt, letters } = await list()
  expect(newest >= readAt && newest >= (letters[0]?.time ?? '')).toBe(true)
  expect(await list({ until: Date.parse(newest) })).toMatchObject({ total: 1 })
})

test('nothing that the pipeline masks is in a list or a detail, and such a body cannot be edited', async () => {
  const { list, ask } = await deskOn(['{"n":"4111","bad":"the-secret-of-it"}'], ['/n'])
  const detail = await ask<LetterDetail>({ kind: 'show', position: '0:0' })
  expect(detail).toMatchObject({
    payload: '{"n":"***","bad":"${env:S}"}',
    editable: false,
    violations: [{ pointer: '/n', message: 'is ***' }],
    prospect: { kind: 'fails' },
  })
  expect(JSON.stringify([detail, await list()])).not.toMatch(/4111|the-secret-of-it/)
})

const FORM = 'application/x-www-form-urlencoded'

test('a body that is not JSON is shown decoded and as it was received, and can be edited as text', async () => {
  const { ask } = await deskOn(['n=4111&m=a+b'], [], FORM)
  expect(await ask<LetterDetail>({ kind: 'show', position: '0:0' })).toMatchObject({
    payload: '{"n":"4111","m":"a b"}',
    received: { type: FORM, text: 'n=4111&m=a+b' },
    editable: true,
  })
})

test('nothing that the pipeline masks, and no secret, is in a body that is not JSON', async () => {
  const masking = await deskOn(['n=4111&m=1'], ['/n'], FORM)
  const masked = await masking.ask<LetterDetail>({ kind: 'show', position: '0:0' })
  expect(masked).toMatchObject({
    payload: '{"n":"***","m":"1"}',
    violations: [{ pointer: '/n', message: 'is ***' }],
    received: { unshown: expect.any(String) },
    editable: false,
  })
  const secret = await deskOn(['n=the-secret-of-it'], [], FORM)
  const hidden = await secret.ask<LetterDetail>({ kind: 'show', position: '0:0' })
  expect(hidden).toMatchObject({ payload: '{"n":"${env:S}"}', editable: false })
  expect(JSON.stringify([masked, await masking.list()])).not.toContain('4111')
  expect(JSON.stringify(hidden)).not.toContain('the-secret-of-it')
})

test('of a body that is neither JSON nor text, the first bytes are shown', async () => {
  const { ask } = await deskOn([Buffer.from([0xff, 0x00, 0x41])])
  const { payload, received, editable } = await ask<LetterDetail>({ kind: 'show', position: '0:0' })
  expect({ payload, received, editable }).toEqual({ received: { hex: 'ff0041' }, editable: false })
})

test('one that does not exist is a problem', async () => {
  const { ask } = await deskOn(['{}'])
  for (const position of ['0:7', 'nowhere'])
    expect(await ask({ kind: 'show', position })).toMatchObject({ status: 404 })
})

test('a plan sends nothing; a replay sends those that would pass, reports its progress, and the rest stays open', async () => {
  const { topics, ask, list, runs, ended } = await deskOn(['{}', '{"n":"bad"}', '{}'])
  const plan = await ask<RunPlan>({ kind: 'plan', selection: {} })
  expect(plan).toMatchObject({
    count: 2,
    targets: [{ topic: 'events', partition: 0, records: 2 }],
    refused: { count: 1, first: [{ position: '0:1', id: 'e1' }] },
  })
  expect(sentIds(topics)).toEqual([])
  expect(await ask({ kind: 'replay', selection: {} })).toMatchObject({
    kind: 'replay',
    state: 'running',
    total: 2,
  })
  await ended()
  expect(runs.at(-1)).toMatchObject({ done: 2, result: { settled: 2, refused: { count: 1 }, notTried: 0 } })
  expect(sentIds(topics)).toEqual(['e0', 'e2'])
  expect(ids(await list())).toEqual(['e1'])
  const settled = await list({}, { status: 'settled' } as never)
  expect(settled.letters).toMatchObject([{ id: 'e2', receipt: { topic: 'events', offset: 1 } }, { id: 'e0' }])
})

test('an edited body replaces that of one dead letter, and its record says so', async () => {
  const { topics, ask, ended } = await deskOn(['{"n":"bad"}', '{}'])
  const selection = { refs: [at(0)] }
  expect(await ask({ kind: 'plan', selection, edited: '{"n":"bad again"}' })).toMatchObject({ count: 0 })
  expect(await ask({ kind: 'plan', selection, edited: '{"n":1}' })).toMatchObject({ count: 1 })
  await ask({ kind: 'replay', selection, edited: '{"n":1}' })
  await ended()
  const [record] = topics.records('events')
  expect(record?.value.toString()).toBe('{"n":1}')
  expect(record?.header(HEADER.edited)).toBe('true')
})

test('a discard settles those that are chosen, with the reason', async () => {
  const { topics, ask, list, ended } = await deskOn(['{}', '{}'])
  const selection = { refs: [at(0)] }
  expect(await ask({ kind: 'plan-discard', selection })).toMatchObject({ count: 1 })
  await ask({ kind: 'discard', selection, reason: 'a test event' })
  await ended()
  expect(ids(await list())).toEqual(['e1'])
  const { letters } = await list({}, { status: 'settled' } as never)
  expect(letters).toMatchObject([{ id: 'e0', status: 'discarded', discarded: { reason: 'a test event' } }])
  expect(sentIds(topics)).toEqual([])
})

test('while a run is under way there is no other', async () => {
  const { ask, ended } = await deskOn(['{}', '{}'])
  const first = ask({ kind: 'replay', selection: {} })
  const second = await Promise.all([first, ask({ kind: 'discard', selection: {}, reason: 'why' })])
  expect(second.filter((one) => 'problem' in (one as object))).toMatchObject([{ status: 409 }])
  await ended()
})
