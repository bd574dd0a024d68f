import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scrape } from '../../src/sandbox/scrape.js'
import { type Deployment, deploy, eventText } from '../helpers/deployment.js'
import { describeKafka, sharedKafka } from '../helpers/real-kafka.js'

const PENDING = 'headgate_ledger_pending'

describeKafka('the ledger on a real Kafka', () => {
  test('after kill -9 between the answer and the acknowledgement, the event is acknowledged and not written again', async () => {
    const deployment = await deploy(sharedKafka())
    deployment.cxone.script('acknowledge', Array(20).fill('hang'))
    const first = await deployment.post(eventText('a', '{"n":1}'))
    await deployment.end('SIGKILL')
    deployment.cxone.script('acknowledge', [])

    await deployment.start()
    await expect.poll(() => deployment.cxone.acknowledged.get('a')).toBe(1)
    const again = await deployment.post(eventText('a', '{"n":1}'))
    expect(again.body).toEqual({ ...first.body, outcome: 'duplicate' })
    expect(await deployment.post(eventText('a', '{"n":2}'))).toMatchObject({ body: { outcome: 'delivered' } })
    expect(await deployment.records()).toHaveLength(2)
  })

  test.each(['kept', 'lost'])(
    'under kill -9 with a resending sender nothing is lost or written twice, the state directory %s',
    async (state) => {
      const deployment = await deploy(sharedKafka())
      const { cxone, records, stateDirectory } = deployment
      const sending = sendUntilAnswered(deployment, 16)
      for (let kill = 0; kill < 3; kill++) {
        const before = sending.answered.size
        await expect.poll(() => sending.answered.size, { timeout: 30_000 }).toBeGreaterThan(before + 150)
        await deployment.end('SIGKILL')
        if (state === 'lost') rmSync(stateDirectory, { recursive: true })
        await deployment.start()
      }
      await sending.finish()
      await expect
        .poll(async () => (await scrape(deployment.headgate.admin)).sum(PENDING), { timeout: 30_000 })
        .toBe(0)

      const written = (await records()).map(({ headers }) => headers['headgate-event-id'] ?? '')
      expect(written.filter((id, at) => written.indexOf(id) !== at)).toEqual([])
      expect([...sending.answered].filter((id) => !written.includes(id))).toEqual([])
      expect(written.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
    },
  )

  test('the backlog of acknowledgements is lag of the consumer group, and gone when all is acknowledged', async () => {
    const deployment = await deploy(sharedKafka())
    deployment.cxone.script('acknowledge', Array(5).fill({ status: 503 }))
    for (let n = 0; n < 5; n++) await deployment.post(eventText(String(n), '{}'))
    const lag = async () => {
      const response = await fetch(new URL('/ledger', deployment.headgate.admin))
      const { 'cxone-data-actions': ledger } = (await response.json()) as { [pipeline: string]: Ledger }
      const partition = ledger?.partitions.find(({ topic }) => topic.endsWith('.default'))
      return partition && [partition.known, partition.acknowledged]
    }
    await expect.poll(() => deployment.cxone.acknowledged.size, { timeout: 20_000 }).toBe(5)
    await expect.poll(lag, { timeout: 10_000 }).toEqual([5, 5])
  })

  test('an acknowledgement that is refused for good is given up, listed, and retried by command', async () => {
    const deployment = await deploy(sharedKafka())
    deployment.cxone.script('acknowledge', [{ status: 404 }])
    await deployment.post(eventText('refused', '{}'))
    const ledger = async () => {
      const response = await fetch(new URL('/ledger', deployment.headgate.admin))
      return ((await response.json()) as { [pipeline: string]: Ledger })['cxone-data-actions']
    }
    await expect
      .poll(async () => (await ledger())?.failed)
      .toMatchObject({
        count: 1,
        first: [{ id: 'refused', reason: { code: 'HG_ACK_GAVE_UP' } }],
      })
    await fetch(new URL('/ledger/retry', deployment.headgate.admin), { method: 'POST' })
    await expect.poll(() => deployment.cxone.acknowledged.get('refused')).toBe(1)
    await expect.poll(async () => (await ledger())?.failed.count).toBe(0)
  })
})

interface Ledger {
  readonly partitions: readonly {
    readonly topic: string
    readonly known: number
    readonly acknowledged: number
  }[]
  readonly failed: { readonly count: number }
}

/** Senders that post each event again until it is answered 2xx, whoever is not there. */
function sendUntilAnswered({ post }: Deployment, senders: number) {
  const answered = new Set<string>()
  let going = true
  const sender = async (name: number) => {
    for (let n = 0; going; n++) {
      const id = `${name}-${n}`
      while (!answered.has(id)) {
        const status = await post(eventText(id, '{}'))
          .then((answer) => answer.status)
          .catch(() => 0)
        if (status === 200) answered.add(id)
        else await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const all = Promise.all(Array.from({ length: senders }, (_, name) => sender(name)))
  return {
    answered,
    async finish() {
      going = false
      await all
    },
  }
}
