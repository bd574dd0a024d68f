import { expect, test, vi } from 'vitest'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { eventText } from '../helpers/processes/deployment.js'
import { failedAckCommands } from '../helpers/processes/failed-acknowledgements.js'
import { startInstances } from '../helpers/processes/instances.js'

const LATER = { timeout: 30_000, interval: 200 }

describeKafka('failed acknowledgements of several instances', () => {
  test('an instance on another machine lists those of one that is gone, and makes them', async () => {
    const instances = await startInstances(sharedKafka(), 1)
    const { cxone, running, configFile, environment } = instances
    const { list, ledger, retry, discard, listText } = failedAckCommands(configFile, environment)
    cxone.script(
      'acknowledge',
      Array.from({ length: 3 }, () => ({ status: 404 })),
    )
    for (const id of ['a', 'b', 'c']) await instances.post(eventText(id, '{}'))
    await vi.waitFor(async () => expect(await list()).toHaveLength(3), LATER)
    const [first] = running
    if (first === undefined) throw new Error('there is no instance')
    await instances.end(first, 'SIGKILL')

    const second = await instances.start()
    expect((await ledger(second)).out).toContain('failed: 3')
    const [place = ''] = / (\d+:\d+) +c /.exec((await listText()).out)?.slice(1) ?? []
    await discard(place, 'no longer wanted')
    expect((await retry(second)).out).toContain(': 2 failed acknowledgements are pending again')
    await vi.waitFor(async () => expect(await list()).toEqual([]), LATER)
    expect([...cxone.acknowledged.keys()].toSorted()).toEqual(['a', 'b'])
    expect((await list({ all: true })).map(([, status]) => status).toSorted()).toEqual([
      'acknowledged',
      'acknowledged',
      'discarded',
    ])
    expect((await ledger(second)).out).toContain('failed: 0')

    // Whichever instance is asked, it shows the partitions of both.
    const third = await instances.start()
    const ownersAt = async (process: typeof third) => {
      const { out } = await ledger(process)
      return [...out.matchAll(/^ +\d+ {2}(\S+\/\d+) +0 +\d+/gm)].map(([, owner]) => owner)
    }
    await vi.waitFor(async () => {
      for (const process of [second, third]) {
        const owners = await ownersAt(process)
        expect([owners.length, new Set(owners).size]).toEqual([6, 2])
      }
    }, LATER)
  })
})
