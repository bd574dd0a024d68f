/**
 * A CXone that throttles, fails, forgets tokens or issues none.
 *
 * | case | test |
 * |---|---|
 * | 14 | 429 with Retry-After is waited for, and intake is unaffected |
 * | 15 | a storm of 500, 504 and resets: attempts stay few, and all is acknowledged later |
 * | 16 | 409 is success; 404 is given up, listed, and retried by command |
 * | 17 | a revoked token under concurrent acknowledgements: one refresh, one retry each |
 * | 18 | the token endpoint is down, the clock jumps: the old token serves, and there is no storm |
 */
import { expect, test } from 'vitest'
import type { Fault } from '../../src/sandbox/cxone.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { type Deployment, deploy, eventText } from '../helpers/processes/deployment.js'

const LATER = { timeout: 30_000, interval: 50 }

describeKafka('what Headgate promises while CXone is not well', () => {
  test('case 14: 429 with Retry-After 120 is waited for across a restart, a short one is over by itself, and intake is unaffected', async () => {
    // A stop waits for acknowledgements; for this one it cannot.
    const deployment = await deploy(sharedKafka(), { env: { HEADGATE_SHUTDOWN_TIMEOUT: '1s' } })
    const { post, cxone, end, start } = deployment
    cxone.script('acknowledge', [{ status: 429, headers: { 'retry-after': '2' } }])
    const throttledAt = performance.now()
    await post(eventText('short', '{}'))
    await expect.poll(() => cxone.responses.get('429'), LATER).toBe(1)
    expect(await post(eventText('meanwhile', '{}'))).toMatchObject({ status: 200 })
    expect(cxone.acknowledged.size).toBe(0)
    await expect.poll(() => cxone.acknowledged.size, LATER).toBe(2)
    expect(performance.now() - throttledAt).toBeGreaterThanOrEqual(2000)

    cxone.script('acknowledge', [{ status: 429, headers: { 'retry-after': '120' } }])
    await post(eventText('long', '{}'))
    await expect.poll(() => cxone.responses.get('429'), LATER).toBe(2)
    // The ledger writes within half a second; what it has written survives.
    await expect.poll(() => outcomes(deployment), LATER).toMatchObject({ retry: 2 })
    for (let n = 0; n < 20; n++) expect((await post(eventText(`id-${n}`, '{}'))).status).toBe(200)
    expect(cxone.acknowledged.has('long')).toBe(false)
    await end('SIGTERM')
    await start()
    // Others are acknowledged, this one is not: CXone asked for two minutes.
    await expect.poll(() => cxone.acknowledged.has('id-19'), LATER).toBe(true)
    expect(cxone.acknowledged.has('long')).toBe(false)
    expect(await pending(deployment)).toBe(1)
  })

  test('case 15: in a storm of 500, 504 and resets attempts stay few, intake is unaffected, and all is acknowledged later', async () => {
    const deployment = await deploy(sharedKafka(), { config: eager })
    const { post, cxone } = deployment
    cxone.script('acknowledge', storm())
    const began = performance.now()
    for (let n = 0; n < 40; n++) expect((await post(eventText(`id-${n}`, '{}'))).status).toBe(200)
    expect(await pending(deployment)).toBe(40)
    await expect.poll(() => total(cxone.responses), LATER).toBeGreaterThan(120)
    // Waits double, up to a second, with full jitter: half of that on average.
    const seconds = (performance.now() - began) / 1000
    expect(total(cxone.responses)).toBeLessThan(40 * (5 + 4 * seconds))
    expect(cxone.acknowledged.size).toBe(0)

    cxone.script('acknowledge', [])
    await expect.poll(() => cxone.acknowledged.size, LATER).toBe(40)
    await expect.poll(() => pending(deployment), LATER).toBe(0)
    expect([...cxone.acknowledged.values()]).toEqual(Array(40).fill(1))
  })

  test('case 16: 409 is success; 404 is given up, counted and listed, and retried by command', async () => {
    const deployment = await deploy(sharedKafka())
    const { post, cxone, headgate } = deployment
    cxone.script('acknowledge', [{ status: 409 }])
    await post(eventText('known', '{}'))
    await expect.poll(() => outcomes(deployment)).toEqual({ acknowledged: 1, retry: 0, gaveUp: 0 })

    cxone.script('acknowledge', [{ status: 404 }])
    await post(eventText('refused', '{}'))
    const failed = async () => {
      const response = await fetch(new URL('/ledger', headgate.admin))
      return ((await response.json()) as LedgerResponse)[deployment.pipeline]?.failed
    }
    await expect.poll(failed).toMatchObject({
      count: 1,
      first: [{ id: 'refused', reason: { code: 'HG_ACK_GAVE_UP' } }],
    })
    expect(await outcomes(deployment)).toEqual({ acknowledged: 1, retry: 0, gaveUp: 1 })
    expect(headgate.lines.join('\n')).toMatch(/"level":"error".*"id":"refused"/)

    await fetch(new URL('/ledger/retry', headgate.admin), { method: 'POST' })
    await expect.poll(() => cxone.acknowledged.get('refused')).toBe(1)
    await expect.poll(async () => (await failed())?.count).toBe(0)
  })

  test('case 17: a revoked token under 100 concurrent acknowledgements costs one refresh, and one retry each', async () => {
    const config = (text: string) =>
      text
        .replace('"plugin": "cxone-ack",', '"plugin": "cxone-ack", "concurrency": 100,')
        .replace('"baseUrl"', '"connections": 100, "baseUrl"')
    const deployment = await deploy(sharedKafka(), { config, cxone: { tokenLifetime: 3600 } })
    const { post, cxone } = deployment
    await post(eventText('first', '{}'))
    await expect.poll(() => cxone.acknowledged.size).toBe(1)

    cxone.revokeTokens()
    const ids = Array.from({ length: 100 }, (_, n) => `id-${n}`)
    await Promise.all(ids.map((id) => post(eventText(id, '{}'))))
    await expect.poll(() => cxone.acknowledged.size, LATER).toBe(101)
    expect(cxone.tokensIssued).toBe(2)
    // One 401 each at most, and the second request succeeds.
    const refused = cxone.responses.get('401') ?? 0
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThanOrEqual(100)
    expect([...cxone.acknowledged.values()]).toEqual(Array(101).fill(1))
    expect(await outcomes(deployment)).toEqual({ acknowledged: 101, retry: 0, gaveUp: 0 })
  })

  test('case 18: while tokens expire one after the other, all events are acknowledged', async () => {
    const { post, cxone } = await deploy(sharedKafka(), { cxone: { tokenLifetime: 1 } })
    let posted = 0
    while (cxone.tokensIssued < 4) await post(eventText(`id-${posted++}`, '{}'))
    await expect.poll(() => cxone.acknowledged.size, LATER).toBe(posted)
  })

  test('case 18: while the token endpoint is down the old token serves, and a clock that jumps causes no storm', async () => {
    const deployment = await deploy(sharedKafka(), {
      config: eager,
      cxone: { tokenLifetime: 6 },
      nodeOptions: ['--import', JUMPING_CLOCK],
    })
    const { post, cxone, headgate } = deployment
    await post(eventText('first', '{}'))
    await expect.poll(() => cxone.acknowledged.size).toBe(1)
    // An hour later by the clock on the wall; the token is as good as before.
    headgate.kill('SIGUSR2')
    await post(eventText('jumped', '{}'))
    await expect.poll(() => cxone.acknowledged.size).toBe(2)
    expect(cxone.tokenRequests).toBe(1)

    cxone.script('token', refusals())
    let posted = 2
    while (cxone.tokenRequests < 2) await post(eventText(`id-${posted++}`, '{}'))
    await post(eventText('by the old token', '{}'))
    await expect.poll(() => cxone.acknowledged.has('by the old token')).toBe(true)
    expect(cxone.tokensIssued).toBe(1)
    expect(cxone.tokenRequests).toBeLessThanOrEqual(3)

    // Once the old one has expired, acknowledgements wait, and are made when the endpoint is back.
    const waiting = async () => {
      await post(eventText(`id-${posted++}`, '{}'))
      return pending(deployment)
    }
    await expect.poll(waiting, LATER).toBeGreaterThan(20)
    expect(cxone.tokenRequests).toBeLessThan(10)
    expect(cxone.tokensIssued).toBe(1)
    cxone.script('token', [])
    await expect.poll(() => cxone.acknowledged.size, LATER).toBe(posted + 1)
  })
})

/** Does not wait longer than a second before it tries again. */
const eager = (text: string): string =>
  text.replace(
    '"plugin": "cxone-ack",',
    '"plugin": "cxone-ack", "retry": { "initial": "200ms", "max": "1s" },',
  )

interface LedgerResponse {
  readonly [pipeline: string]: { readonly failed: { readonly count: number } }
}

/** Run in the process of Headgate: SIGUSR2 sets its clock an hour ahead. */
const JUMPING_CLOCK = `data:text/javascript,${encodeURIComponent(`
  const now = Date.now
  let ahead = 0
  Date.now = () => now() + ahead
  process.on('SIGUSR2', () => { ahead += 3600_000 })
`)}`

function* storm(): Iterable<Fault> {
  for (;;) yield* [{ status: 500 }, { status: 504 }, 'reset'] as const
}

function* refusals(): Iterable<Fault> {
  for (;;) yield { status: 503 }
}

const total = (responses: ReadonlyMap<string, number>): number =>
  [...responses.values()].reduce((sum, count) => sum + count, 0)

async function outcomes({ headgate }: Deployment) {
  const metrics = await scrape(headgate.admin)
  const count = (outcome: string) => metrics.sum('headgate_ack_attempts_total', { outcome })
  return { acknowledged: count('acknowledged'), retry: count('retry'), gaveUp: count('gave-up') }
}

const pending = async ({ headgate }: Deployment): Promise<number> =>
  (await scrape(headgate.admin)).sum('headgate_ledger_pending')
