import { expect, test } from 'vitest'
import { diffCommand } from '../../src/commands/diff.js'
import { temporaryDirectory } from '../helpers/context.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'
import { runCommand } from '../helpers/recorded-io.js'

// biome-ignore lint/suspicious/noExplicitAny: a config as people write it
type Change = (pipeline: any) => void

const EVENTS = [
  dataAction('a', { region: 'eu-west' }),
  dataAction('b', { region: 'us' }),
  dataAction('c', { region: 'us', priority: 'high' }),
  dataAction('d', { region: 'ap' }),
]
const same: Change = () => {}
const usToEu: Change = ({ transforms }) => {
  transforms[1].config.rules[1].when.jsonata = "payload.region in ['eu-west', 'us']"
}
const strict: Change = ({ transforms }) => {
  transforms[1].config.otherwise = 'reject'
}

async function diffed(
  change: Change,
  options: { [name: string]: unknown } = {},
  events = EVENTS.join('\n'),
  before: Change = same,
) {
  const files = shippedFiles({ 'plugins.config.json': before, 'new.json': change })
  const cwd = temporaryDirectory({ ...files, 'events.jsonl': events })
  return runCommand(
    diffCommand,
    { arguments: ['new.json'], options: { events: 'events.jsonl', ...options } },
    { cwd },
  )
}

test('the same config makes no difference', async () => {
  const { code, out, err } = await diffed(same, { exitCode: true })
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/4 events under plugins\.config\.json \(rows\) and new\.json \(columns\)/)
  expect(out).toMatch(/\nNo difference\.\n$/)
})

test('what moves stands in a matrix and by its ids, and a rule that newly matches is named', async () => {
  const { code, out } = await diffed(usToEu)
  expect(code).toBe(0)
  expect(out).toContain(
    [
      '                                             1  2  3',
      '1  eu-west: cxone.data.actions.eu 1          1  .  .',
      '2  high-priority: cxone.data.actions.high 0  .  1  .',
      '3  otherwise: cxone.data.actions.default 2   1  .  1',
    ].join('\n'),
  )
  expect(out).toContain(
    '1 from otherwise: cxone.data.actions.default 2\n  to eu-west: cxone.data.actions.eu 1\n  b\n',
  )
  expect(out).toContain('1 of 4 move. Refused: 0 before, 0 after.\nNewly matched by a rule: 1 by eu-west.\n')
})

test('with --exit-code differences exit with 1', async () => {
  expect((await diffed(usToEu, { exitCode: true })).code).toBe(1)
})

test('what is newly refused is counted, and examples are as many as asked for', async () => {
  const { out } = await diffed(strict, { examples: '1' })
  expect(out).toContain('to otherwise: refused HG_ROUTE_NO_MATCH\n  b, ...\n')
  expect(out).toContain('Refused: 0 before, 2 after.')
})

test('an event that stays where it is, but with another record, is a difference', async () => {
  const { code, out } = await diffed(
    ({ sink, postCommit }) => {
      sink.config.key = '/timestamp'
      postCommit[0].config.method = 'PUT'
    },
    { exitCode: true },
  )
  expect(code).toBe(1)
  expect(out).toContain(
    '2 still to otherwise: cxone.data.actions.default 2, with a different key, acknowledgement\n  b, d\n',
  )
})

test('as JSON it has all of it', async () => {
  const { out } = await diffed(usToEu, { json: true })
  const { comparison } = JSON.parse(out)
  expect(comparison).toMatchObject({ events: 4, refusedBefore: 0, refusedAfter: 0, changes: [] })
  expect(comparison.moves).toContainEqual({
    before: { rule: 'otherwise', to: 'cxone.data.actions.default 2', refused: false },
    after: { rule: 'eu-west', to: 'cxone.data.actions.eu 1', refused: false },
    count: 1,
    examples: ['b'],
  })
})

test('a JSON array of bodies is taken as it is written, and only the last events where there is a limit', async () => {
  const { out } = await diffed(usToEu, { limit: '3' }, `[${EVENTS.join(',\n')}]`)
  expect(out).toContain('3 events under')
  expect(out).toContain(
    'Note: 1 events at the beginning of events.jsonl are left out; a larger --limit includes them.',
  )
})

test('one event over several lines is one event', async () => {
  const { out } = await diffed(usToEu, {}, JSON.stringify(JSON.parse(EVENTS[1] ?? ''), undefined, 2))
  expect(out).toContain('1 event under')
  expect(out).toContain('  to eu-west: cxone.data.actions.eu 1\n  b\n')
})

test('without events nothing is compared, and that is no success', async () => {
  const { code, out, err } = await diffed(same, {}, '\n')
  expect([code, out, err]).toEqual([1, '', 'There are no events to compare.\n'])
})

test('dead letters as `dlq export` writes them keep their ids, and those of other pipelines are left out', async () => {
  const letter = (pipeline: string, value: string) =>
    JSON.stringify({ pipeline, id: 'kept', headers: [], value, valueEncoding: 'utf-8' })
  const lines = [
    letter('cxone-data-actions', '{"dataActionId":5,"payload":{"region":"us"}}'),
    letter('other', EVENTS[0] ?? ''),
  ]
  const lenient: Change = ({ transforms }) => void transforms.shift()
  const { out } = await diffed(lenient, {}, lines.join('\n'))
  expect(out).toContain(
    '1 from refused HG_SCHEMA_VIOLATION\n  to otherwise: cxone.data.actions.default 2\n  kept\n',
  )
  expect(out).toContain('Note: 1 dead letters of other pipelines are left out.')
})

test('events whose id came in a header are compared all the same', async () => {
  const byHeader: Change = ({ source }) => {
    source.config.eventId = 'header:x-id'
  }
  const { out } = await diffed(
    (pipeline) => {
      byHeader(pipeline)
      usToEu(pipeline)
    },
    {},
    EVENTS.join('\n'),
    byHeader,
  )
  expect(out).toContain('  to eu-west: cxone.data.actions.eu 1\n  line 2\n')
  expect(out).toContain('Note: 4 events have no id under either config, perhaps because it is in a header.')
})

test('wrong usage names what is wrong', async () => {
  const nowhere = await diffed(same, { events: undefined })
  expect([nowhere.code, nowhere.err]).toEqual([
    2,
    expect.stringContaining('--events FILE or --from-topic TOPIC'),
  ])
  const twice = await diffed(same, { fromTopic: 'x', limit: '0' })
  expect([twice.code, twice.err.split('\n').length]).toEqual([2, 3])
  const other = await diffed(same, { pipeline: 'nope' })
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('There is no pipeline "nope"')])
})

test('a config that is wrong is refused with its place', async () => {
  const { code, err } = await diffed(({ transforms }) => {
    transforms[1].config.rules[0].when = {}
  })
  expect([code, err]).toEqual([1, expect.stringContaining('new.json:')])
})

test('Kafka is read only with its address: a missing one is named, with what to do', async () => {
  const { code, err } = await diffed(same, { events: undefined, fromTopic: 'cxone.data.actions.eu' })
  expect([code, err]).toEqual([
    1,
    'HG_CONFIG_PROVIDER: ${env:KAFKA_BROKERS} has no value, which is needed to read from Kafka; set it, or give --brokers.\n',
  ])
})

test('an event decides by the parts of its request, and it is said how many have none', async () => {
  const onKind: Change = ({ transforms }) => {
    transforms[1].config.rules[1].when = { at: 'header:X-Kind', regex: '^push$' }
  }
  const events = [
    `{"request":{"headers":{"X-Kind":"push"}},"event":${EVENTS[1]}}`,
    JSON.stringify({
      ...{ id: 'd', pipeline: 'cxone-data-actions', headers: [], value: EVENTS[3], valueEncoding: 'utf-8' },
      request: { headers: { 'x-kind': 'push' } },
    }),
    EVENTS[3],
  ]
  const { code, out } = await diffed(onKind, {}, events.join('\n'))
  expect(code).toBe(0)
  expect(out).toContain('to eu-west: cxone.data.actions.eu 1\n  b, d\n')
  expect(out).toContain('Note: 1 event has no request: rules find no header')
  const array = await diffed(onKind, {}, `[${events[0]}]`)
  expect(array.out).toContain('to eu-west: cxone.data.actions.eu 1\n  b\n')
  expect((await diffed(usToEu)).out).not.toContain('request')
})
