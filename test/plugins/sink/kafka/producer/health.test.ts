import { expect, test } from 'vitest'
import { ClientLog } from '../../../../../src/plugins/sink/kafka/producer/health.js'
import { testContext } from '../../../../helpers/context.js'

const refused = (milliseconds: number) => ({
  severity: 3,
  fac: 'FAIL',
  message: `[thrd:k:9092/bootstrap]: k:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after ${milliseconds}ms in state CONNECT, 3 identical error(s) suppressed)`,
})

function open() {
  const context = testContext()
  const clock = { time: 0 }
  return { lines: context.lines, clock, clientLog: new ClientLog(context.log, () => clock.time) }
}

test('warns once a minute of a repeated text, with the number of repetitions', () => {
  const { lines, clock, clientLog } = open()
  for (let second = 0; second < 61; second++) {
    clock.time = second * 1000
    clientLog.write(refused(second))
  }
  const message = 'librdkafka: k:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused'
  expect(lines).toEqual([
    { level: 'warn', fields: { facility: 'FAIL' }, message },
    { level: 'warn', fields: { facility: 'FAIL', repeated: 59 }, message },
  ])
})

test('leaves lines that are no warnings to the debug level', () => {
  const { lines, clientLog } = open()
  clientLog.write({
    severity: 6,
    fac: 'FAIL',
    message: 'k:9092/1: Disconnected (after 600000ms in state UP)',
  })
  expect(lines).toEqual([
    { level: 'debug', fields: { facility: 'FAIL' }, message: 'librdkafka: k:9092/1: Disconnected' },
  ])
})

test('keeps why the last connection failed until that is over', () => {
  const { clientLog } = open()
  expect(clientLog.trouble()).toBeUndefined()
  clientLog.write(refused(1))
  clientLog.write({ severity: 4, fac: 'GETPID', message: 'something else' })
  expect(clientLog.trouble()).toBe('Connect to ipv4#10.0.0.1:9092 failed: Connection refused')
  clientLog.forgetTrouble()
  expect(clientLog.trouble()).toBeUndefined()
})

test('does not remember texts without end', () => {
  const { lines, clientLog } = open()
  const names = Array.from({ length: 101 }, (_, index) => 'x'.repeat(index))
  for (const name of names) clientLog.write({ severity: 3, fac: 'ERROR', message: name })
  clientLog.write({ severity: 3, fac: 'ERROR', message: '' })
  expect(lines).toHaveLength(102)
})
