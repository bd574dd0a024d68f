import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HeadgateError } from '../../../../../src/contract/errors.js'
import type { LocatedTarget, SinkRecord, Target } from '../../../../../src/contract/index.js'
import type { Session, SessionEvents } from '../../../../../src/plugins/sink/kafka/producer/session.js'
import { Supervisor } from '../../../../../src/plugins/sink/kafka/producer/supervisor.js'
import { testContext } from '../../../../helpers/context.js'
import { deferred } from '../../../../helpers/deferred.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const RECORD = { target: { topic: 'orders', partition: 1 }, key: null, value: Buffer.from('1'), headers: [] }
const UNREACHABLE = ['Kafka is not reachable at k:9092: no response.']
const noResponse = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'no response'))

/** A supervisor over a cluster that is only this object. */
function simulate() {
  const context = testContext()
  const cluster = {
    up: true,
    partitions: 3,
    stalledFor: 0,
    /** Timeouts of the connection attempts. */
    attempts: [] as number[],
    checks: 0,
    missing: new Set<string>(),
    opened: [] as { session: Session; events: Omit<SessionEvents, 'log' | 'statistics'> }[],
  }
  const session = new Supervisor({
    brokers: 'k:9092',
    log: context.log,
    signal: context.signal,
    clientLog: { trouble: () => undefined, forgetTrouble: () => {} },
    async open(events, timeout) {
      cluster.attempts.push(timeout)
      if (!cluster.up) return noResponse()
      const session: Session = {
        send: vi.fn(async () => ({ topic: 'orders', partition: 1, offset: 0 })),
        inFlight: () => (cluster.stalledFor > 0 ? 5 : 0),
        stalledFor: () => cluster.stalledFor,
        async partitions(topic) {
          cluster.checks++
          if (cluster.missing.has(topic)) return 0
          return cluster.up ? cluster.partitions : noResponse()
        },
        ping: vi.fn(async () => {}),
        close: vi.fn(async () => {}),
        abandon: vi.fn(async () => {}),
      }
      cluster.opened.push({ session, events })
      return session
    },
  })
  const connect = (location = 'c.json:1:2', target: Target = RECORD.target) => {
    const connection = session.connection(context.log)
    connection.expect([{ target, location }])
    return connection
  }
  /** Of the only pipeline. */
  const connection = connect()
  const supervisor = {
    start: () => connection.start(),
    notReady: () => connection.notReady(),
    ready: () => connection.ready(),
    check: (targets: readonly LocatedTarget[]) => connection.check(targets),
    send: (record: SinkRecord) => connection.send(record),
    fence: () => connection.fence(),
    stop: () => session.stop(),
  }
  const latest = () => {
    const opened = cluster.opened.at(-1)
    if (opened === undefined) throw new Error('No session was opened.')
    return opened
  }
  return { supervisor, connect, cluster, latest, lines: context.lines }
}

async function ready() {
  const simulated = simulate()
  await simulated.supervisor.start()
  // Past the time in which a suspicion waits because the cluster has just been asked.
  await vi.advanceTimersByTimeAsync(300)
  expect(simulated.supervisor.notReady()).toEqual([])
  return simulated
}

const settle = () => vi.advanceTimersByTimeAsync(0)

test('starts within the grace when Kafka is down, and tries longer from attempt to attempt', async () => {
  const { supervisor, cluster, lines } = simulate()
  cluster.up = false
  const started = supervisor.start()
  await vi.advanceTimersByTimeAsync(3000)
  await started
  expect(supervisor.notReady()).toEqual(UNREACHABLE)
  expect(cluster.attempts.slice(0, 5)).toEqual([1000, 2000, 4000, 5000, 5000])
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  cluster.up = true
  await vi.advanceTimersByTimeAsync(500)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('ready resolves when the cluster has answered for the targets of the pipeline', async () => {
  const { supervisor, cluster } = simulate()
  cluster.up = false
  const started = supervisor.start()
  const isReady = vi.fn()
  const ready = supervisor.ready().then(isReady)
  await vi.advanceTimersByTimeAsync(3000)
  await started
  cluster.missing.add('orders')
  cluster.up = true
  await vi.advanceTimersByTimeAsync(1000)
  expect(supervisor.notReady()).toEqual(['Topic "orders" does not exist (c.json:1:2).'])
  expect(isReady).not.toHaveBeenCalled()
  cluster.missing.clear()
  await vi.advanceTimersByTimeAsync(5000)
  await ready
  expect(supervisor.notReady()).toEqual([])
  await supervisor.ready()
  await supervisor.stop()
})

test('does not take the closing of idle connections for an outage', async () => {
  const { supervisor, cluster, latest } = await ready()
  const { checks } = cluster
  latest().events.disconnected()
  expect(supervisor.notReady()).toEqual([])
  await settle()
  expect(cluster.checks).toBe(checks + 1)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
})

test('refuses records during an outage, and is ready again when the cluster answers', async () => {
  const { supervisor, cluster, latest, lines } = await ready()
  cluster.up = false
  latest().events.disconnected()
  await settle()
  expect(supervisor.notReady()).toEqual(UNREACHABLE)
  await expect(supervisor.send(RECORD)).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: UNREACHABLE[0],
  })
  expect(latest().session.send).not.toHaveBeenCalled()
  cluster.up = true
  await vi.advanceTimersByTimeAsync(1000)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.send(RECORD)
  expect(lines.map(({ level }) => level)).toEqual(['info', 'warn', 'info'])
  expect(cluster.opened).toHaveLength(1)
  await supervisor.stop()
})

test('asks the cluster as soon as a record is delivered after an outage', async () => {
  const { supervisor, cluster, latest } = await ready()
  cluster.up = false
  latest().events.disconnected()
  await settle()
  cluster.up = true
  latest().events.delivered()
  await settle()
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
})

test('is not ready while Kafka answers but confirms nothing', async () => {
  const { supervisor, cluster } = await ready()
  cluster.stalledFor = 7000
  await vi.advanceTimersByTimeAsync(8000)
  expect(supervisor.notReady()).toEqual(['Kafka answers, but has confirmed none of 5 records for 7 s.'])
  cluster.stalledFor = 0
  await vi.advanceTimersByTimeAsync(1000)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
})

test('looks at the topics again when records fail for lack of one, but not for each record', async () => {
  const { supervisor, cluster, latest, lines } = await ready()
  const { checks } = cluster
  cluster.partitions = 0
  for (let record = 0; record < 1000; record++) {
    latest().events.failed({ error: new HeadgateError('HG_KAFKA_UNAVAILABLE', ''), remedy: 'check' })
    await settle()
  }
  expect(cluster.checks).toBe(checks + 1)
  expect(supervisor.notReady()).toEqual(['Topic "orders" does not exist (c.json:1:2).'])
  await vi.advanceTimersByTimeAsync(20_000)
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  cluster.partitions = 3
  await vi.advanceTimersByTimeAsync(5000)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
})

test('refuses to start if the cluster has too few partitions, and leaves nothing running', async () => {
  const { supervisor, cluster, latest } = simulate()
  cluster.partitions = 1
  await expect(supervisor.start()).rejects.toMatchObject({
    code: 'HG_KAFKA_PARTITION_MISSING',
    message: 'Topic "orders" has no partition 1 (c.json:1:2): it has one partition, 0.',
  })
  await supervisor.stop()
  expect(latest().session.close).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('goes on without the partition, not ready, if it learns of that only after the start', async () => {
  const { supervisor, cluster } = simulate()
  cluster.up = false
  cluster.partitions = 1
  const started = supervisor.start()
  await vi.advanceTimersByTimeAsync(3000)
  await started
  cluster.up = true
  await vi.advanceTimersByTimeAsync(1000)
  expect(supervisor.notReady()).toEqual([
    'Topic "orders" has no partition 1 (c.json:1:2): it has one partition, 0.',
  ])
  cluster.partitions = 2
  await vi.advanceTimersByTimeAsync(5000)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
})

test('replaces a session that a record failed fatally in, once', async () => {
  const { supervisor, cluster, latest } = await ready()
  const first = latest()
  const fatal = { error: new HeadgateError('HG_KAFKA_FATAL', ''), remedy: 'replace' } as const
  first.events.failed(fatal)
  first.events.failed(fatal)
  expect(supervisor.notReady()).toEqual([expect.stringContaining('is being reopened')])
  await vi.advanceTimersByTimeAsync(1000)
  expect(first.session.abandon).toHaveBeenCalledExactlyOnceWith({
    code: 'HG_KAFKA_FATAL',
    why: 'the session broke: a record failed with a fatal error',
  })
  expect(first.session.close).not.toHaveBeenCalled()
  expect(cluster.opened).toHaveLength(2)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
  expect(latest().session.close).toHaveBeenCalledOnce()
})

test('waits longer and longer if every session breaks, until a record is delivered', async () => {
  const { supervisor, cluster, latest } = await ready()
  const breakAndWait = async (milliseconds: number) => {
    const before = cluster.opened.length
    latest().events.broken('not allowed')
    await vi.advanceTimersByTimeAsync(milliseconds - 1)
    expect(cluster.opened).toHaveLength(before)
    await vi.advanceTimersByTimeAsync(1)
    expect(cluster.opened).toHaveLength(before + 1)
  }
  for (const milliseconds of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    await breakAndWait(milliseconds)
  latest().events.delivered()
  await breakAndWait(1000)
  await supervisor.stop()
})

test('refuses records while it stops, and can be stopped again', async () => {
  const { supervisor, latest } = await ready()
  const stopping = supervisor.stop()
  await expect(supervisor.send(RECORD)).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  await stopping
  await supervisor.stop()
  expect(latest().session.close).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('replaces a session at once when it is fenced, and takes no records until the new one is ready', async () => {
  const { supervisor, cluster, latest } = await ready()
  await supervisor.send(RECORD)
  const first = latest()
  const gone = deferred()
  vi.mocked(first.session.abandon).mockReturnValueOnce(gone.promise)
  const fences = [supervisor.fence(), supervisor.fence()]
  expect(supervisor.notReady()).toEqual([expect.stringContaining('is being reopened')])
  await expect(supervisor.send(RECORD)).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    uncertain: false,
  })
  await settle()
  expect(first.session.abandon).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ code: 'HG_KAFKA_NOT_DELIVERED' }),
  )
  expect(cluster.opened).toHaveLength(1)
  gone.resolve()
  await Promise.all(fences)
  expect(cluster.opened).toHaveLength(2)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.send(RECORD)
  expect(latest().session.send).toHaveBeenCalledOnce()
  await supervisor.stop()
})

test('can be fenced again and again', async () => {
  const { supervisor, cluster } = await ready()
  for (const opened of [2, 3]) {
    await supervisor.send(RECORD)
    await supervisor.fence()
    expect(cluster.opened).toHaveLength(opened)
  }
  await supervisor.stop()
})

test('fails a fence if there is no new session, and may be asked again', async () => {
  const { supervisor, cluster, latest } = await ready()
  await supervisor.send(RECORD)
  const first = latest()
  cluster.up = false
  await expect(supervisor.fence()).rejects.toMatchObject({
    code: 'HG_KAFKA_UNAVAILABLE',
    message: UNREACHABLE[0],
  })
  expect(first.session.abandon).toHaveBeenCalledOnce()
  cluster.up = true
  const again = supervisor.fence()
  await vi.advanceTimersByTimeAsync(1000)
  await again
  expect(cluster.opened).toHaveLength(2)
  expect(supervisor.notReady()).toEqual([])
  await supervisor.stop()
})

test('fails a fence if the new session lacks a topic', async () => {
  const { supervisor, cluster } = await ready()
  await supervisor.send(RECORD)
  cluster.partitions = 0
  await expect(supervisor.fence()).rejects.toThrow('Topic "orders" does not exist')
  await supervisor.stop()
})

test('accepts the session that takes the place of a broken one when it is fenced', async () => {
  const { supervisor, cluster, latest } = await ready()
  latest().events.broken('sequence lost')
  const fence = supervisor.fence()
  await vi.advanceTimersByTimeAsync(1000)
  await fence
  expect(cluster.opened).toHaveLength(2)
  await supervisor.stop()
})

test('cannot be fenced before it is started, and not when it stops', async () => {
  const { supervisor } = simulate()
  await expect(supervisor.fence()).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  await supervisor.start()
  await supervisor.send(RECORD)
  const fence = expect(supervisor.fence()).rejects.toMatchObject({ message: 'Headgate is shutting down.' })
  await supervisor.stop()
  await fence
  await expect(supervisor.fence()).rejects.toMatchObject({ message: 'Headgate is shutting down.' })
})

test('says of the targets of a new config which the cluster lacks, and stays ready', async () => {
  const { supervisor, cluster } = await ready()
  const at = (partition: number) => [{ target: { topic: 'other', partition }, location: 'new.json:3:4' }]
  await supervisor.check(at(2))
  await expect(supervisor.check(at(3))).rejects.toMatchObject({
    code: 'HG_KAFKA_PARTITION_MISSING',
    message: 'Topic "other" has no partition 3 (new.json:3:4): its 3 partitions are 0 to 2.',
  })
  expect(supervisor.notReady()).toEqual([])
  cluster.partitions = 0
  await expect(supervisor.check(at(0))).rejects.toMatchObject({ code: 'HG_KAFKA_TOPIC_MISSING' })
  cluster.up = false
  await expect(supervisor.check(at(0))).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  await supervisor.stop()
  await expect(supervisor.check(at(0))).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
})

test('opens one session for all pipelines, and keeps it until it is stopped', async () => {
  const { supervisor, connect, cluster, latest } = await ready()
  const other = connect('c.json:9:9')
  await other.start()
  expect(cluster.opened).toHaveLength(1)
  await supervisor.send(RECORD)
  await other.send(RECORD)
  expect(latest().session.send).toHaveBeenCalledTimes(2)
  other.leave()
  await expect(other.send(RECORD)).rejects.toMatchObject({ message: 'Headgate is shutting down.' })
  expect(latest().session.close).not.toHaveBeenCalled()
  await supervisor.send(RECORD)
  await supervisor.stop()
  expect(latest().session.close).toHaveBeenCalledOnce()
})

test('a topic that one pipeline lacks is no trouble for the others', async () => {
  const { supervisor, connect, cluster, lines } = await ready()
  const other = connect('c.json:9:9', { topic: 'payments', partition: 2 })
  cluster.missing.add('payments')
  await other.start()
  expect(other.notReady()).toEqual(['Topic "payments" does not exist (c.json:9:9).'])
  await expect(other.send(RECORD)).rejects.toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
  expect(supervisor.notReady()).toEqual([])
  await supervisor.send(RECORD)
  cluster.missing.clear()
  await vi.advanceTimersByTimeAsync(5000)
  expect(other.notReady()).toEqual([])
  expect(lines.map(({ message }) => message)).toContain('All topics exist now.')
  await supervisor.stop()
})

test('a pipeline that comes with an impossible partition is refused, and the others go on', async () => {
  const { supervisor, connect, latest } = await ready()
  const other = connect('c.json:9:9', { topic: 'payments', partition: 3 })
  await expect(other.start()).rejects.toMatchObject({ code: 'HG_KAFKA_PARTITION_MISSING' })
  other.leave()
  await supervisor.send(RECORD)
  expect(latest().session.close).not.toHaveBeenCalled()
  await supervisor.stop()
})

test('a fence of one pipeline serves the others that had records in the same session', async () => {
  const { supervisor, connect, cluster } = await ready()
  const other = connect()
  await other.start()
  await supervisor.send(RECORD)
  await other.send(RECORD)
  await supervisor.fence()
  expect(cluster.opened).toHaveLength(2)
  // The first pipeline sends again before the other one has asked.
  await supervisor.send(RECORD)
  await other.fence()
  expect(cluster.opened).toHaveLength(2)
  await other.send(RECORD)
  await other.fence()
  expect(cluster.opened).toHaveLength(3)
  await supervisor.stop()
})

test('a fence without records in the session leaves it to the others', async () => {
  const { supervisor, connect, cluster } = await ready()
  const other = connect()
  await other.start()
  await supervisor.send(RECORD)
  await other.fence()
  expect(cluster.opened).toHaveLength(1)
  await supervisor.stop()
})

test('a fence gives up a session that is not ready, too', async () => {
  const { supervisor, cluster, latest } = await ready()
  await supervisor.send(RECORD)
  cluster.stalledFor = 7000
  await vi.advanceTimersByTimeAsync(8000)
  const first = latest()
  cluster.stalledFor = 0
  await supervisor.fence()
  expect(first.session.abandon).toHaveBeenCalledOnce()
  expect(cluster.opened).toHaveLength(2)
  await supervisor.stop()
})
