import { expect, test } from 'vitest'
import { styleFor } from '../../src/lib/terminal/text.js'
import { reconcile } from '../../src/sandbox/reconcile.js'
import { report } from '../../src/sandbox/report.js'
import { perfectRun } from '../helpers/processes/perfect-run.js'

const plain = styleFor(false, {})

function reported(spoil: (run: ReturnType<typeof perfectRun>) => void = () => {}): string {
  const run = perfectRun()
  spoil(run)
  const cxone = {
    responses: new Map([
      ['401', 3],
      ['429', 2],
    ]),
    tokensIssued: 4,
  }
  const result = {
    ...reconcile(run),
    events: run.exchanges.length,
    records: run.records.length,
    seconds: 3.21,
    cxone,
  }
  return report(result, 'The addresses.', plain)
}

test('the table has a line for each route, for what came again, for each reason of refusal, and for all', () => {
  const [titles, ...lines] = reported().split('\n\n')[0]?.split('\n') ?? []
  expect(titles).toMatch(/sent +answered +in Kafka +acknowledged$/)
  const numbers = lines.map((line) => line.split(/ {2,}/))
  expect(numbers).toContainEqual([
    'high-priority',
    'cxone.data.actions.high, partition 0',
    '30',
    '30',
    '30',
    '30',
  ])
  expect(numbers).toContainEqual(['delivered again', 'duplicate, no second record', '5', '5'])
  expect(numbers).toContainEqual(['not JSON', '400 HG_INTAKE_NOT_JSON', '1', '1'])
  expect(numbers.at(-1)).toEqual(['all', '100', '100', '89', '89'])
  expect(lines).toHaveLength(11)
})

test('a good run says so, with what CXone did on the way', () => {
  const text = reported()
  expect(text).toContain('CXone issued 4 tokens, refused 3 acknowledgements')
  expect(text).toContain('The addresses.')
  expect(text.split('\n').at(-1)).toBe('Everything reconciles: 100 requests in 3.2 s.')
})

test('a bad run names what differs', () => {
  const text = reported((run) => run.acknowledged.delete('da-000000'))
  expect(text).toContain('The counts do not reconcile: 1 difference.\n  da-000000: acknowledged 0 times')
})

test('of very many differences, the first are named and the others counted', () => {
  const text = reported((run) => run.records.splice(0))
  expect(text).toContain('The counts do not reconcile: 89 differences.')
  expect(text.split('\n').at(-1)).toBe('  ... and 69 more')
})
