import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { HeadgateError } from '../../../src/contract/errors.js'
import type { Pipeline } from '../../../src/pipeline/pipeline.js'
import { deferred } from '../../helpers/deferred.js'
import { bench, headerOf, pipelineOf, settledOn } from './setup.js'

const ledgerOf = ({ reloader }: Pick<Awaited<ReturnType<typeof bench>>, 'reloader'>) => {
  const [pipeline] = reloader.running()
  return pipeline?.role === 'whole' ? pipeline.ledger : undefined
}

const orders = (...numbers: Parameters<typeof pipelineOf>) => ({
  pipelines: { orders: pipelineOf(...numbers) },
})

describe('unchanged parts', () => {
  test('a changed transform is replaced; the sink, the source and the post-commit stage are kept', async () => {
    const it = await bench()
    expect(await it.change(orders({ transform: 2 }))).toMatchObject({
      result: 'success',
      changed: ['orders: transform.0.choose'],
    })
    await settledOn(it, 'transform', [2])
    expect(it.seen.map(({ kind, n }) => `${kind} ${n}`)).toEqual([
      'transform 1',
      'sink 1',
      'source 1',
      'post-commit 1',
      'transform 2',
    ])
    await it.take('a')
    expect(it.written[0]?.target.topic).toBe('topic-2')
  })

  test('an unchanged config changes nothing', async () => {
    const it = await bench()
    expect(await it.reloader.reload('api')).toEqual({
      result: 'unchanged',
      revision: it.reloader.config().revision,
      changed: [],
    })
    expect(it.seen).toHaveLength(4)
  })

  test('another mask for taps is another config, and every stage is kept', async () => {
    const it = await bench()
    expect(await it.change(orders({ tap: { mask: ['/card'] } }))).toMatchObject({
      result: 'success',
      changed: ['orders: tap'],
    })
    expect(it.reloader.running()[0]?.masks).toEqual([['card']])
    expect(it.seen).toHaveLength(4)
  })

  test('a comment is another revision, and every stage is kept', async () => {
    const it = await bench()
    const before = it.reloader.config().revision
    it.write(`// a comment\n${JSON.stringify(orders())}`)
    expect(await it.reloader.reload('file')).toMatchObject({ result: 'success', changed: [] })
    expect(it.reloader.config().revision).not.toBe(before)
    expect(it.seen).toHaveLength(4)
    await it.take('a')
    expect(headerOf(it.written[0], 'headgate-revision')).toBe(it.reloader.config().revision)
  })

  test('the ledger is kept: an event that was taken before a reload is a duplicate after it', async () => {
    const it = await bench()
    await it.take('a')
    await it.change(orders({ source: 2, transform: 2, sink: 2, post: [2] }))
    expect(await it.take('a')).toMatchObject({ kind: 'duplicate' })
    expect(it.written).toHaveLength(1)
  })
})

test('a secret that was rotated in its file replaces the stage that uses it; the revision stays', async () => {
  const it = await bench()
  it.file('password', 'first')
  const post = { plugin: 'tell', config: { n: 1, password: '${file:password}' } }
  const next = { pipelines: { orders: { ...pipelineOf(), postCommit: [post] } } }
  await it.change(next)
  const { revision, watched } = it.reloader.config()
  expect(watched.map((path) => path.split('/').at(-1))).toEqual(['plugins.config.json', 'password'])
  it.file('password', 'second')
  expect(await it.reloader.reload('file')).toEqual({
    result: 'success',
    revision,
    changed: ['orders: post-commit.0.tell'],
  })
  expect(it.secrets.at(-1)?.get('second')).toBe('${file:password}')
  expect(it.seen.filter(({ kind }) => kind === 'post-commit')).toHaveLength(3)
  expect(it.seen.filter(({ kind }) => kind !== 'post-commit')).toHaveLength(3)
})

describe('the commit', () => {
  test('an event in flight ends under the config that it began with, and its stages stop after it', async () => {
    const it = await bench()
    const first = it.reloader.config().revision
    const { promise, resolve } = deferred()
    it.apply = ({ n }) => (n === 1 ? promise : Promise.resolve())
    const early = it.take('early')
    await it.change(orders({ transform: 2 }))
    await it.take('late')
    expect(it.alive('transform').map(({ n }) => n)).toEqual([1, 2])
    resolve()
    await early
    await settledOn(it, 'transform', [2])
    const [late, old] = it.written
    expect([late?.target.topic, headerOf(late, 'headgate-revision')]).toEqual([
      'topic-2',
      it.reloader.config().revision,
    ])
    expect([old?.target.topic, headerOf(old, 'headgate-revision')]).toEqual(['topic-1', first])
  })

  test('copies of an event before and after it are one record', async () => {
    const it = await bench()
    const { promise, resolve } = deferred()
    it.send = () => promise
    const early = it.take('a')
    await it.change(orders({ transform: 2 }))
    const late = it.take('a')
    resolve()
    expect([(await early).kind, (await late).kind]).toEqual(['delivered', 'duplicate'])
    expect(it.written).toHaveLength(1)
  })

  test('a sink is replaced only when no event is in flight to the old one; requests wait, and none fails', async () => {
    const it = await bench()
    const { promise, resolve } = deferred()
    it.send = ({ n }) => (n === 1 ? promise : Promise.resolve())
    const early = it.take('early')
    const changing = it.change(orders({ sink: 2 }))
    await vi.waitUntil(() => it.alive('sink').length === 2)
    const late = it.take('late')
    await new Promise((done) => setImmediate(done))
    expect(it.written).toHaveLength(0)
    resolve()
    expect((await early).kind).toBe('delivered')
    expect(await changing).toMatchObject({ result: 'success', changed: ['orders: sink.out'] })
    expect((await late).kind).toBe('delivered')
    await settledOn(it, 'sink', [2])
  })

  test('events of a new source are under the new config, those of the old one under the old config until it stops', async () => {
    const it = await bench()
    const [old] = it.intakes
    await it.change(orders({ source: 2, transform: 2 }))
    await it.take('a', old)
    await it.take('b')
    expect(it.written.map(({ target }) => target.topic)).toEqual(['topic-1', 'topic-2'])
  })

  test('no event is lost or seen by two configs during many reloads', async () => {
    const it = await bench()
    const taken: string[] = []
    let going = true
    const sending = (async () => {
      for (let n = 0; going; n++) {
        const id = `event-${n}`
        const outcome = await it.take(id)
        expect(outcome.kind).toBe('delivered')
        taken.push(id)
        if (n % 5 === 0) await new Promise((done) => setImmediate(done))
      }
    })()
    const revisions = new Map<string | undefined, string>([[it.reloader.config().revision, 'topic-1']])
    for (let round = 2; round < 22; round++) {
      const next = orders({ transform: round, source: round % 3, sink: round % 4, post: [round % 2] })
      expect(await it.change(next)).toMatchObject({ result: 'success' })
      revisions.set(it.reloader.config().revision, `topic-${round}`)
    }
    going = false
    await sending
    expect(it.written.map((record) => headerOf(record, 'headgate-event-id')).sort()).toEqual(taken.sort())
    for (const record of it.written)
      expect(record.target.topic).toBe(revisions.get(headerOf(record, 'headgate-revision')))
    await settledOn(it, 'transform', [21])
    expect(it.alive('source')).toHaveLength(1)
    expect(it.alive('sink')).toHaveLength(1)
    await vi.waitUntil(() => new Set(it.told.map(({ id }) => id)).size === taken.length)
  })
})

describe('failures', () => {
  test('if a stage does not start, everything runs as before', async () => {
    const it = await bench()
    it.start = async ({ kind, n }) => {
      if (kind === 'transform' && n === 2) throw new HeadgateError('HG_CONFIG_VALUE', 'Not like this.')
    }
    const before = it.reloader.config().revision
    const reloaded = await it.change(orders({ transform: 2, sink: 2, post: [2] }))
    expect(reloaded).toMatchObject({
      result: 'failure',
      revision: before,
      error: { code: 'HG_CONFIG_VALUE' },
    })
    for (const kind of ['source', 'transform', 'sink', 'post-commit'])
      expect(it.alive(kind).map(({ n }) => n)).toEqual([1])
    expect(await it.take('a')).toMatchObject({ kind: 'delivered' })
    expect(headerOf(it.written[0], 'headgate-revision')).toBe(before)
    expect(await it.metric('headgate_sink_number{pipeline="orders"}')).toBe(1)
    expect(await it.metric('headgate_config_last_reload_successful')).toBe(0)
    expect(await it.metric('headgate_config_reloads_total{result="failure"}')).toBe(1)
  })

  test('if a source does not start, requests go on under the old config', async () => {
    const it = await bench()
    it.start = async ({ kind, n }) => {
      if (kind === 'source' && n === 2) throw new HeadgateError('HG_CONFIG_CONFLICT', 'The path is taken.')
    }
    expect(await it.change(orders({ source: 2, sink: 2 }))).toMatchObject({ result: 'failure' })
    expect(await it.take('a')).toMatchObject({ kind: 'delivered' })
    expect(it.alive('sink').map(({ n }) => n)).toEqual([1])
  })

  test('a file with mistakes is refused with every location, no mistake is logged twice, and the next correct file is accepted', async () => {
    const it = await bench()
    it.write(JSON.stringify({ pipelines: { orders: { ...pipelineOf(), transforms: [], sinks: 1 } } }))
    expect(await it.reloader.reload('file')).toMatchObject({
      result: 'failure',
      problems: [
        { code: 'HG_CONFIG_CONFLICT' },
        { code: 'HG_CONFIG_UNKNOWN_KEY', pointer: '/pipelines/orders/sinks' },
      ],
    })
    expect(it.lines.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(
        /^the new config was refused.*: There is no setting "sinks" here\. Did you mean "sink"\? Headgate tries again when the file changes\.$/,
      ),
    )
    it.write('{ "pipelines": {')
    expect(await it.reloader.reload('file')).toMatchObject({ problems: [{ code: 'HG_CONFIG_SYNTAX' }] })
    const errors = () => it.lines.filter(({ level }) => level === 'error').length
    const said = errors()
    expect(said).toBeGreaterThan(0)
    it.reloader.retry()
    expect(await it.reloader.reload('retry')).toMatchObject({ result: 'failure' })
    expect(errors()).toBe(said)
    expect(it.reloader.refused()).toBeDefined()
    expect(await it.change(orders({ transform: 2 }))).toMatchObject({ result: 'success' })
    expect(it.reloader.refused()).toBeUndefined()
    expect(await it.metric('headgate_config_last_reload_successful')).toBe(1)
  })

  test('a refused config says when it is tried again, and the log says when it is running', async () => {
    const it = await bench()
    const messages = () => it.lines.flatMap(({ level, message }) => (level === 'debug' ? [] : [message]))
    it.start = async ({ kind, n }) => {
      if (kind === 'sink' && n === 2) throw new HeadgateError('HG_KAFKA_UNAVAILABLE', 'No.')
    }
    const again = 'Headgate tries again in 30 s, or when the file changes.'
    expect(await it.change(orders({ sink: 2 }))).toMatchObject({ result: 'failure', retry: again })
    expect(messages().at(-1)).toBe(`the new config was refused, the old one keeps running: No. ${again}`)
    it.start = async () => {}
    expect(await it.reloader.reload('retry')).toMatchObject({ result: 'success' })
    expect(messages().at(-1)).toBe('the config on disk was accepted and is running now')
  })

  test('the log says that the config on disk is running again when the file was put back', async () => {
    const it = await bench()
    it.write('{ "pipelines": [')
    expect(await it.reloader.reload('file')).toMatchObject({
      result: 'failure',
      retry: 'Headgate tries again when the file changes.',
    })
    expect(await it.change(orders())).toMatchObject({ result: 'unchanged' })
    expect(it.lines.at(-1)).toMatchObject({
      level: 'info',
      message: 'the config on disk is accepted again: it is the running one',
    })
    const said = it.lines.length
    await it.change(orders())
    expect(it.lines.slice(said).filter(({ level }) => level !== 'debug')).toEqual([])
  })

  test('targets that the sink cannot write to are refused before the commit', async () => {
    const it = await bench()
    it.check = (targets) =>
      new HeadgateError(
        'HG_KAFKA_PARTITION_MISSING',
        `There is no ${targets[0]?.target.topic} (${targets[0]?.location}).`,
      )
    expect(await it.change(orders({ transform: 2 }))).toMatchObject({
      result: 'failure',
      error: { message: expect.stringMatching(/^There is no topic-2 \(plugins\.config\.json:1:\d+\)\.$/) },
    })
    await it.take('a')
    expect(it.written[0]?.target.topic).toBe('topic-1')
  })
})

describe('pipelines', () => {
  test('an added one takes events, a removed one first ends those that it has taken', async () => {
    const it = await bench()
    const { promise, resolve } = deferred()
    it.send = () => promise
    const [old] = it.intakes
    const early = it.take('a', old)
    expect(await it.change({ pipelines: { other: pipelineOf({ transform: 7 }) } })).toMatchObject({
      changed: ['other: new', 'orders: gone'],
    })
    expect(it.alive('sink')).toHaveLength(2)
    resolve()
    expect((await early).kind).toBe('delivered')
    await vi.waitUntil(() => it.alive('sink').length === 1)
    expect((await it.take('b')).kind).toBe('delivered')
    expect(it.reloader.running().map(({ name }) => name)).toEqual(['other'])
    await vi.waitUntil(async () => !(await it.metrics()).includes('pipeline="orders"'))
  })

  test('one that is added again has its ledger again', async () => {
    const it = await bench()
    await it.take('a')
    await it.change({ pipelines: { other: pipelineOf() } })
    await it.change(orders())
    expect(await it.take('a')).toMatchObject({ kind: 'duplicate' })
  })
})

describe('metrics', () => {
  test('series of removed rules disappear, the others go on counting', async () => {
    const it = await bench()
    await it.take('a')
    const before = it.reloader.config().revision
    await it.change(orders({ transform: 2 }))
    await settledOn(it, 'transform', [2])
    await it.take('b')
    const matches = (rule: string) =>
      it.metric(`headgate_route_matches_total{pipeline="orders",rule="${rule}"}`)
    await vi.waitUntil(async () => (await matches('rule-1')) === undefined)
    expect(await matches('rule-2')).toBe(1)
    expect(await it.metric('headgate_events_total{pipeline="orders",outcome="delivered"}')).toBe(2)
    expect(await it.metric(`headgate_config_revision_info{revision="${before}"}`)).toBeUndefined()
    const { revision } = it.reloader.config()
    expect(await it.metric(`headgate_config_revision_info{revision="${revision}"}`)).toBe(1)
  })
})

describe('acknowledgements', () => {
  const failing = () => new HeadgateError('HG_ACK_RETRY', 'Later.')

  test('the new stage goes on where the old one was; the old one makes no more attempts', async () => {
    const it = await bench()
    let attempts = 0
    it.acknowledge = async ({ n }) => {
      if (n === 2) return { kind: 'acknowledged' }
      attempts++
      return { kind: 'retry', error: failing(), after: 1 }
    }
    await it.take('a')
    await vi.waitUntil(() => attempts > 1)
    await it.change(orders({ post: [2] }))
    const made = attempts
    await vi.waitUntil(() => it.told.length === 1)
    expect(it.told[0]?.by.n).toBe(2)
    await settledOn(it, 'post-commit', [2])
    expect(attempts).toBe(made)
  })

  test('an attempt in flight counts, and is not made again', async () => {
    const it = await bench()
    const { promise, resolve } = deferred()
    it.acknowledge = async ({ n }) => {
      if (n === 1) await promise
      return { kind: 'acknowledged' }
    }
    await it.take('a')
    await vi.waitUntil(() => ledgerOf(it)?.dueAt(0) === undefined)
    await it.change(orders({ post: [2] }))
    resolve()
    await settledOn(it, 'post-commit', [2])
    expect(it.told.map(({ by, id }) => `${id} by ${by.n}`)).toEqual(['a by 1'])
    expect(ledgerOf(it)?.backlog().count).toBe(0)
  })

  test('in another order, every stage acknowledges that has not', async () => {
    const it = await bench(orders({ post: [1, 2] }))
    let up = false
    it.acknowledge = async ({ n }) =>
      n === 2 && !up ? { kind: 'retry', error: failing(), after: 1 } : { kind: 'acknowledged' }
    await it.take('a')
    await vi.waitUntil(() => it.told.length === 1)
    await it.change(orders({ post: [2, 1] }))
    up = true
    await vi.waitUntil(() => ledgerOf(it)?.backlog().count === 0)
    expect(it.told.map(({ by }) => by.n)).toEqual([1, 2, 1])
  })

  test('an acknowledgement that only a removed stage had to make is not made, and the log says so', async () => {
    const it = await bench(orders({ post: [1, 2] }))
    it.acknowledge = async ({ n }) =>
      n === 2 ? { kind: 'retry', error: failing(), after: 60_000 } : { kind: 'acknowledged' }
    await it.take('a')
    await vi.waitUntil(() => it.told.length === 1 && ledgerOf(it)?.dueAt(1) !== undefined)
    await it.change(orders({ post: [1] }))
    expect(ledgerOf(it)?.backlog().count).toBe(0)
    await vi.waitUntil(() =>
      it.lines.some(({ message }) => message.includes('post-commit stages that no longer exist')),
    )
  })

  test('another rate or another deadline takes effect at once, with the stage that runs', async () => {
    const it = await bench()
    const post = { plugin: 'tell', config: { n: 1 }, retry: { initial: '1ms', deadline: '1ms' } }
    it.acknowledge = async () => ({ kind: 'retry', error: failing() })
    const next = { pipelines: { orders: { ...pipelineOf(), postCommit: [post] } } }
    expect(await it.change(next)).toMatchObject({ changed: ['orders: post-commit.0.tell'] })
    await it.take('a')
    await vi.waitUntil(() => ledgerOf(it)?.backlog().failed === 1)
    expect(it.seen).toHaveLength(4)
  })
})

test('a config whose records have an unknown outcome stays until the outcome is known', async () => {
  const it = await bench()
  const uncertain = new HeadgateError('HG_KAFKA_NOT_DELIVERED', 'unknown', { uncertain: true })
  const { promise, resolve } = deferred()
  it.send = async () => {
    await promise
    throw uncertain
  }
  const early = it.take('a')
  await it.change(orders({ transform: 2 }))
  const [{ ledger }] = it.reloader.running() as [Pipeline]
  let isKnown = false
  const caughtUp = deferred()
  vi.spyOn(ledger, 'canMoveTo').mockImplementation(() => isKnown)
  vi.spyOn(ledger, 'ready').mockImplementation(() => caughtUp.promise)
  resolve()
  expect((await early).kind).toBe('unavailable')
  await new Promise((done) => setTimeout(done, 50))
  expect(it.alive('transform').map(({ n }) => n)).toEqual([1, 2])
  isKnown = true
  caughtUp.resolve()
  await settledOn(it, 'transform', [2])
})

test('a stop also waits for events that were taken under an earlier config, and for their acknowledgement', async () => {
  const it = await bench()
  const { promise, resolve } = deferred<void>()
  it.send = () => promise
  const taken = it.take('slow')
  await it.change(orders({ transform: 2 }))
  const stopped = it.reloader.stop()
  await vi.waitUntil(() => it.alive('source').length === 0)
  resolve()
  expect(await taken).toMatchObject({ kind: 'delivered', id: 'slow' })
  expect(await stopped).toEqual([{ pipeline: 'orders', inFlight: 0, unacknowledged: 0 }])
  expect(it.told).toMatchObject([{ id: 'slow' }])
})

test('a watch that reports files as they run causes no check, also after a refused edit was taken back', async () => {
  const it = await bench()
  expect(await it.reloader.reload('file')).toMatchObject({ result: 'unchanged' })
  expect(it.reads).toBe(0)
  const running = readFileSync(it.configFile, 'utf8')
  it.write('{')
  expect(await it.reloader.reload('file')).toMatchObject({ result: 'failure' })
  it.write(running)
  expect(await it.reloader.reload('file')).toMatchObject({ result: 'unchanged' })
  expect(it.reads).toBe(1)
  expect(it.reloader.refused()).toBeUndefined()
})
