import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { followTopics, readTopics } from '../../src/sandbox/reader.js'
import { PIPELINE } from '../../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { type KafkaCluster, startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy, environment } from '../helpers/processes/deployment.js'

const LETTERS = 200
/** After a replay that was cut off, the next one waits for 20 s, until what was under way has ended. */
const WITH_WAITS = { timeout: 240_000 }

interface DeadLetters {
  /** `headgate dlq replay --yes` on a config that lets all of them pass. */
  replay(...options: string[]): Run
  /** The ids of the records that have become of them. */
  sent(): Promise<string[]>
  /** Watches from now on; the promise within resolves as soon as what has been seen is enough. */
  follow(isEnough: (seen: Seen) => boolean): Promise<{ readonly enough: Promise<void> }>
  /** How often each event was acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>
}

/** The records and notes that replays have written. */
interface Seen {
  /** Records that dead letters have become. */
  readonly records: number
  /** The kinds of notes. */
  readonly notes: ReadonlySet<string>
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

  describe('that loses its only broker', () => {
    /** At this rate a batch has 80 dead letters, so there are several. */
    const RATE = ['--rate', '20']
    test.each<[string, (seen: Seen) => boolean]>([
      ['while it claims', ({ notes }) => notes.has('begun')],
      ['while it sends', ({ records }) => records > 20],
      ['while it notes what it has sent', ({ records }) => records >= 80],
    ])('%s ends within a minute, and the next one sends what is missing', WITH_WAITS, async (_, isTime) => {
      const cluster = await ownCluster()
      const { replay, sent, follow } = await deadLetters(cluster.bootstrap)
      const { enough } = await follow(isTime)
      const { ended } = replay(...RATE)
      await enough
      cluster.brokers[0]?.pause()
      const frozenAt = performance.now()
      expect(await ended).toMatchObject({ code: 1 })
      expect(performance.now() - frozenAt).toBeLessThan(60_000)
      cluster.brokers[0]?.resume()
      expect(await replay().ended).toMatchObject({ code: 0 })
      expect(await sent()).toEqual(allOnce())
    })
  })
})

const allOnce = () => Array.from({ length: LETTERS }, (_, n) => `letter-${n}`).sort()

/** Events that the schema turned away, in the dead-letter topic of a Headgate that goes on running. */
async function deadLetters(bootstrap: string): Promise<DeadLetters> {
  const deployment = await deploy(bootstrap, {
    config: (text) =>
      text.replace('"plugin": "json-schema",', '"plugin": "json-schema", "onError": "dead-letter",'),
  })
  const { prefix, cxone, pipeline } = deployment
  const bodies = Array.from(
    { length: LETTERS },
    (_, n) => `{"dataActionId":"letter-${n}","payload":{"n":${n}}}`,
  )
  for (const body of bodies) expect((await deployment.post(body)).status).toBe(202)

  const shipped = readFileSync(SHIPPED_CONFIG, 'utf8')
    .replaceAll('cxone.data.actions', prefix)
    .replace(`"${PIPELINE}": {`, `"${pipeline}": {`)
  const config = join(
    temporaryDirectory({ 'plugins.config.json': shipped.replace(/\{ "plugin": "json-schema".*\},/, '') }),
    'plugins.config.json',
  )
  const routes = ['high', 'eu', 'default'].map((route) => `${prefix}.${route}`)
  const dlq = `${prefix}.dlq`
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
      const records = await readTopics(bootstrap, routes)
      return records.map(({ headers }) => headers['headgate-event-id'] ?? '').sort()
    },
    async follow(isEnough) {
      const { promise: enough, resolve } = deferred()
      const notes = new Set<string>()
      let records = 0
      const reader = await followTopics(bootstrap, [...routes, dlq], ({ topic, headers }) => {
        const note = headers['headgate-replay']
        if (topic !== dlq) records++
        else if (note !== undefined) notes.add(note)
        if (isEnough({ records, notes })) resolve()
      })
      onTestFinished(() => reader.close())
      return { enough }
    },
  }
}

async function ownCluster(): Promise<KafkaCluster> {
  const cluster = await startKafkaCluster()
  onTestFinished(() => cluster.stop())
  return cluster
}
