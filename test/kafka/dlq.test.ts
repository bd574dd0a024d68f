import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { deploy, environment } from '../helpers/deployment.js'
import { type KafkaCluster, startKafkaCluster } from '../helpers/kafka-cluster.js'
import { describeKafka, sharedKafka } from '../helpers/real-kafka.js'

const LETTERS = 200
/** After a replay that was cut off, the next one waits for 20 s, until what was under way has ended. */
const WITH_WAITS = { timeout: 240_000 }

interface DeadLetters {
  /** `headgate dlq replay --yes` on a config that lets all of them pass. */
  replay(...options: string[]): Run
  /** The ids of the records that have become of them. */
  sent(): Promise<string[]>
  /** How often each event was acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly out: string }>
}

describeKafka('a replay on a real Kafka', () => {
  test(
    'that is killed in the middle, twice, sends each dead letter once, and acknowledges none again',
    WITH_WAITS,
    async () => {
      const { replay, sent, acknowledged } = await deadLetters(sharedKafka())
      for (const target of [LETTERS / 4, LETTERS / 2]) {
        const { child, ended } = replay('--rate', '20')
        await expect.poll(async () => (await sent()).length, { timeout: 60_000 }).toBeGreaterThan(target)
        child.kill('SIGKILL')
        await ended
        expect((await sent()).length).toBeLessThan(LETTERS)
      }
      expect(await replay().ended).toMatchObject({ code: 0, out: expect.stringMatching(/ sent\./) })
      expect(await sent()).toEqual(allOnce())
      expect(await replay().ended).toEqual({ code: 0, out: 'No dead letters sent.\n' })
      expect([...acknowledged.values()].filter((times) => times > 1)).toEqual([])
    },
  )

  test('that runs twice at once sends each dead letter once', async () => {
    const { replay, sent } = await deadLetters(sharedKafka())
    const runs = [replay('--rate', '100'), replay('--rate', '100')]
    const codes = (await Promise.all(runs.map(({ ended }) => ended))).map(({ code }) => code)
    expect(codes).toContain(0)
    expect(await sent()).toEqual(allOnce())
  })

  test(
    'that a frozen broker keeps from ending gives up, and the next one sends what is missing',
    WITH_WAITS,
    async () => {
      const cluster = await ownCluster()
      const { replay, sent } = await deadLetters(cluster.bootstrap)
      const { ended } = replay('--rate', '50')
      await expect.poll(async () => (await sent()).length, { timeout: 30_000 }).toBeGreaterThan(20)
      cluster.brokers[0]?.pause()
      expect(await ended).toMatchObject({ code: 1 })
      cluster.brokers[0]?.resume()
      expect(await replay().ended).toMatchObject({ code: 0 })
      expect(await sent()).toEqual(allOnce())
    },
  )
})

const allOnce = () => Array.from({ length: LETTERS }, (_, n) => `letter-${n}`).sort()

/** Events that the schema turned away, in the dead-letter topic of a Headgate that goes on running. */
async function deadLetters(bootstrap: string): Promise<DeadLetters> {
  const deployment = await deploy(bootstrap, {
    config: (text) =>
      text.replace('"plugin": "json-schema",', '"plugin": "json-schema", "onError": "dead-letter",'),
  })
  const { prefix, cxone } = deployment
  const bodies = Array.from(
    { length: LETTERS },
    (_, n) => `{"dataActionId":"letter-${n}","payload":{"n":${n}}}`,
  )
  for (const body of bodies) expect((await deployment.post(body)).status).toBe(202)

  const shipped = readFileSync(SHIPPED_CONFIG, 'utf8').replaceAll('cxone.data.actions', prefix)
  const config = join(
    temporaryDirectory({ 'plugins.config.json': shipped.replace(/\{ "plugin": "json-schema".*\},/, '') }),
    'plugins.config.json',
  )
  return {
    acknowledged: cxone.acknowledged,
    replay(...options) {
      const args = [builtFile('cli.js'), 'dlq', 'replay', '--yes', '--config', config, ...options]
      const env = { ...process.env, ...environment(bootstrap, cxone) }
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
      onTestFinished(() => void child.kill('SIGKILL'))
      let out = ''
      child.stdout.on('data', (chunk) => {
        out += chunk
      })
      return { child, ended: once(child, 'close').then(([code]) => ({ code, out })) }
    },
    async sent() {
      const topics = ['high', 'eu', 'default'].map((route) => `${prefix}.${route}`)
      const records = await readTopics(bootstrap, topics)
      return records.map(({ headers }) => headers['headgate-event-id'] ?? '').sort()
    },
  }
}

async function ownCluster(): Promise<KafkaCluster> {
  const cluster = await startKafkaCluster()
  onTestFinished(() => cluster.stop())
  return cluster
}
