import { expect, test } from 'vitest'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy, eventText } from '../helpers/processes/deployment.js'

describeKafka('the ledger on a real Kafka', () => {
  test('the backlog of acknowledgements is lag of the consumer group, and gone when all is acknowledged', async () => {
    const deployment = await deploy(sharedKafka())
    deployment.cxone.script('acknowledge', Array(5).fill({ status: 503 }))
    for (let n = 0; n < 5; n++) await deployment.post(eventText(String(n), '{}'))
    const lag = async () => {
      const response = await fetch(new URL('/ledger', deployment.headgate.admin))
      const { [deployment.pipeline]: ledger } = (await response.json()) as { [pipeline: string]: Ledger }
      const partition = ledger?.partitions.find(({ topic }) => topic.endsWith('.default'))
      return partition && [partition.known, partition.acknowledged]
    }
    await expect.poll(() => deployment.cxone.acknowledged.size, { timeout: 20_000 }).toBe(5)
    await expect.poll(lag, { timeout: 10_000 }).toEqual([5, 5])
  })
})

interface Ledger {
  readonly partitions: readonly {
    readonly topic: string
    readonly known: number
    readonly acknowledged: number
  }[]
}
