/**
 * Headgate is ended, or its state directory harmed, beside a Kafka that is well.
 *
 * | case | test |
 * |---|---|
 * | 7 | kill -9 under resending senders loses nothing and writes nothing twice |
 * | 8 | kill -9 after the report: the event is acknowledged after the restart, and not written again |
 * | 9 | SIGTERM under load: what was answered 2xx is in Kafka and acknowledged, and the exit code is 0 |
 * | 11 | a full state disk, a torn index |
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy, eventText } from '../helpers/processes/deployment.js'
import { startSenders } from '../helpers/processes/resending-senders.js'
import { expectOnceAndAcknowledged } from './invariant.js'

const LATER = { timeout: 30_000 }

describeKafka('what Headgate promises when it is ended', () => {
  test.each(['kept', 'lost'])(
    'case 7: kill -9 under resending senders loses nothing and writes nothing twice, the state directory %s',
    async (state) => {
      const deployment = await deploy(sharedKafka())
      const senders = startSenders(deployment)
      for (let kill = 0; kill < 3; kill++) {
        const before = senders.answered.size
        await expect.poll(() => senders.answered.size, LATER).toBeGreaterThan(before + 150)
        await deployment.end('SIGKILL')
        if (state === 'lost') rmSync(deployment.stateDirectory, { recursive: true })
        await deployment.start()
      }
      await senders.finish()
      await expectOnceAndAcknowledged(deployment, senders.answered)
    },
  )

  test('case 8: kill -9 after the report: the event is acknowledged after the restart, and not written again', async () => {
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

  test('a start without the pipeline says what is pending for it, and one that has it again acknowledges that', async () => {
    const deployment = await deploy(sharedKafka())
    const { cxone, configFile, pipeline } = deployment
    const config = readFileSync(configFile, 'utf8')
    cxone.script('acknowledge', Array(20).fill({ status: 503 }))
    await deployment.post(eventText('a', '{"n":1}'))
    await deployment.end('SIGTERM')
    cxone.script('acknowledge', [])

    writeFileSync(configFile, config.replaceAll(pipeline, `${pipeline}-other`))
    await deployment.start()
    const warnings = () =>
      deployment.headgate.lines.filter((line) => line.includes('has pending acknowledgements of a pipeline'))
    await expect.poll(warnings, LATER).toEqual([expect.stringMatching(`"${pipeline}".*"pending":1`)])
    await deployment.end('SIGTERM')

    writeFileSync(configFile, config)
    await deployment.start()
    await expect.poll(() => cxone.acknowledged.get('a'), LATER).toBe(1)
    expect(warnings()).toEqual([])
  })

  test('case 9: SIGTERM under load: every event answered 2xx is in Kafka and acknowledged, and the exit code is 0', async () => {
    const { post, records, headgate, cxone } = await deploy(sharedKafka())
    const answered: string[] = []
    const sender = async (name: number) => {
      for (let n = 0; ; n++) {
        const id = `${name}-${n}`
        const response = await post(eventText(id, '{}')).catch(() => undefined)
        if (response?.status === 200) answered.push(id)
        else if (response === undefined) return
        else if (response.status !== 503) throw new Error(`${id} was answered ${response.status}`)
      }
    }
    const senders = Promise.all(Array.from({ length: 16 }, (_, name) => sender(name)))
    await expect.poll(() => answered.length, LATER).toBeGreaterThan(300)
    expect(await headgate.stop()).toEqual({ code: 0, signal: null })
    await senders
    const ids = (await records()).map(({ headers }) => headers['headgate-event-id'] ?? '')
    expect(new Set(ids).size).toBe(ids.length)
    expect(answered.filter((id) => !ids.includes(id))).toEqual([])
    expect(ids.filter((id) => !cxone.acknowledged.has(id))).toEqual([])
  })

  test('case 11: on a full state disk events are answered 503 until there is room again, and none is lost or written twice', async () => {
    const deployment = await deploy(sharedKafka())
    const { headgate, ready, post } = deployment
    // No file may grow any more: what a write gets is an error, as on a full disk.
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(headgate.pid), `--fsize=${bytes}:unlimited`])
    limit('0')
    const senders = startSenders(deployment, 4)
    await expect
      .poll(async () => (await ready()).reasons.join(), LATER)
      .toMatch(/Cannot write .*ledger\.mdb: .*EFBIG/)
    await expect.poll(() => senders.refusals.get(503), LATER).toBeGreaterThan(0)
    const refused = await post(eventText('full', '{}'))
    expect(refused).toMatchObject({ status: 503, body: { code: 'HG_STATE_WRITE' } })
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)

    limit('unlimited')
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)
    await senders.finish()
    await expectOnceAndAcknowledged(deployment, senders.answered)
    expect(await post(eventText('full', '{}'))).toMatchObject({ body: { outcome: 'delivered' } })
  })

  test('case 11: a torn index is put aside and rebuilt from Kafka, and every event is still recognised', async () => {
    const deployment = await deploy(sharedKafka())
    const { post, end, start, records, stateDirectory } = deployment
    const places: unknown[] = []
    for (let n = 0; n < 20; n++) places.push((await post(eventText(`id-${n}`, '{}'))).body['offset'])
    await end('SIGKILL')
    // The pages that locate the others are left. Half of a small index can be whole.
    truncateSync(join(stateDirectory, 'ledger.mdb'), 8192)

    await start()
    expect(deployment.headgate.lines.join('\n')).toContain('was put aside')
    for (let n = 0; n < 20; n++) {
      const { status, body } = await post(eventText(`id-${n}`, '{}'))
      expect({ status, ...body }).toMatchObject({ status: 200, outcome: 'duplicate', offset: places[n] })
    }
    expect(await records()).toHaveLength(20)
  })

  test('case 11: an index that is cut short while Headgate runs ends it by a signal, and the next start recovers', async () => {
    const deployment = await deploy(sharedKafka())
    const { post, start, records, stateDirectory } = deployment
    for (let n = 0; n < 20; n++) await post(eventText(`id-${n}`, '{}'))
    truncateSync(join(stateDirectory, 'ledger.mdb'), 4096)
    // LMDB reads the file when it next writes into it.
    expect(await deployment.headgate.exited).toMatchObject({ signal: 'SIGBUS' })

    await start()
    for (let n = 0; n < 20; n++) {
      expect(await post(eventText(`id-${n}`, '{}'))).toMatchObject({ body: { outcome: 'duplicate' } })
    }
    expect(await records()).toHaveLength(20)
  })
})
