import { EventEmitter } from 'node:events'
import type { KafkaConsumer } from 'node-rdkafka'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Committer } from '../../../../../src/plugins/sink/kafka/log/consumer.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const at = (offset: number) => [{ topic: 'orders', partition: 0, offset }]

/** A client whose coordinator answers, at the next look, each commit for which there is a response. */
function simulate() {
  const responses: (Error | undefined)[] = []
  const client = Object.assign(new EventEmitter(), { commit: vi.fn() })
  const poll = vi.fn(async () => {
    vi.advanceTimersByTime(20)
    if (responses.length > 0) client.emit('offset.commit', responses.shift())
  })
  const committer = new Committer(client as unknown as KafkaConsumer, poll)
  return { responses, client, committer, poll }
}

test('resolves when the coordinator confirms', async () => {
  const { responses, client, committer } = simulate()
  responses.push(undefined)
  await committer.commit(at(3))
  expect(client.commit.mock.calls).toEqual([[at(3)]])
  expect(committer.committing).toBe(false)
})

test('rejects when the coordinator refuses, and forgets that for the next', async () => {
  const { responses, committer } = simulate()
  const refusal = new Error('Broker: Group authorization failed')
  responses.push(refusal)
  await expect(committer.commit(at(3))).rejects.toBe(refusal)
  responses.push(undefined)
  await committer.commit(at(4))
})

test('gives up on a coordinator that is silent, and begins no other commit before it has answered', async () => {
  const { responses, client, committer } = simulate()
  await expect(committer.commit(at(3))).rejects.toThrow(
    'the coordinator of the consumer group does not answer',
  )
  expect(committer.committing).toBe(true)
  await expect(committer.commit(at(4))).rejects.toThrow('does not answer')
  expect(client.commit).toHaveBeenCalledOnce()
  responses.push(new Error('Local: Waiting for coordinator'), undefined)
  await committer.commit(at(5))
  expect(client.commit.mock.calls).toEqual([[at(3)], [at(5)]])
})

test('is finished when the response has come after all', async () => {
  const { responses, committer, poll } = simulate()
  await committer.finished()
  expect(poll).not.toHaveBeenCalled()
  await expect(committer.commit(at(3))).rejects.toThrow('does not answer')
  poll.mockRejectedValueOnce(new Error('Local: Timed out'))
  responses.push(undefined)
  const finished = committer.finished()
  await vi.advanceTimersByTimeAsync(2000)
  await finished
  expect(committer.committing).toBe(false)
})
