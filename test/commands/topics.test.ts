import { expect, test } from 'vitest'
import { newTopic, stepFor, topicsCommand } from '../../src/commands/topics.js'
import { runCommand } from '../helpers/recorded-io.js'

const need = { topic: 'orders', partitions: 3, byKey: false }

test.each([
  [need, 0, 'create'],
  [need, 2, 'add-partitions'],
  [need, 3, 'none'],
  [need, 9, 'none'],
  [{ ...need, byKey: true }, 2, 'by-hand'],
  [{ ...need, partitions: undefined, byKey: true }, 1, 'none'],
  [{ ...need, partitions: undefined, byKey: true }, 0, 'create'],
] as const)('%j with %i partitions: %s', (wanted, found, kind) => {
  expect(stepFor(wanted, found).kind).toBe(kind)
})

test('three copies if there are three brokers, else the default of the broker; a flag decides over both', () => {
  expect(newTopic(need, 3, {})).toEqual({ partitions: 3, replicas: 3 })
  expect(newTopic(need, 2, {})).toEqual({ partitions: 3, replicas: undefined })
  expect(newTopic(need, 5, { replicationFactor: '2' })).toEqual({ partitions: 3, replicas: 2 })
})

test('--partitions makes more of them, never fewer than the rules name', () => {
  expect(newTopic(need, 1, { partitions: '12' }).partitions).toBe(12)
  expect(newTopic(need, 1, { partitions: '2' }).partitions).toBe(3)
  expect(newTopic({ ...need, partitions: undefined }, 1, {}).partitions).toBeUndefined()
})

test('an inbox gets twelve partitions and a retention beyond the window, and never more partitions', () => {
  const inbox = { topic: 'orders.inbox', partitions: undefined, byKey: true, redeliveryWindow: 86_400_000 }
  expect(newTopic(inbox, 3, {})).toEqual({ partitions: 12, replicas: 3, keepFor: 8 * 86_400_000 })
  expect(newTopic(inbox, 3, { partitions: '4' }).partitions).toBe(4)
  expect(stepFor(inbox, 1).kind).toBe('none')
})

test('wrong flags are wrong usage, all at once', async () => {
  const options = { partitions: '0', replicationFactor: 'x', timeout: 'soon', dryRun: true }
  expect(await runCommand(topicsCommand, { options })).toEqual({
    code: 2,
    out: '',
    err: [
      '--partitions should be a whole number from 1; it is "0".',
      '--replication-factor should be a whole number from 1; it is "x".',
      '--timeout should be a duration such as 10s; it is "soon".',
      '--dry-run needs --create: it prints the commands that --create would run.',
      '',
    ].join('\n'),
  })
})
