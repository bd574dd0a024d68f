import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { temporaryDirectory } from '../helpers/context.js'

/** A plugin whose check names its process, and does not return until the test opens a gate. */
const GATED = (folder: string) => `
import { appendFileSync, existsSync } from 'node:fs'
export const gated = {
  kind: 'transform', name: 'gated', summary: '', config: { type: 'object', properties: {} },
  *check() {
    appendFileSync(${JSON.stringify(join(folder, 'checked-by'))}, process.pid + ' ')
    const nap = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(${JSON.stringify(join(folder, 'gate'))})) Atomics.wait(nap, 0, 0, 10)
  },
  create: () => ({ apply: (event) => ({ kind: 'pass', event }) }),
}
`

const configOf = (brokers: string, transforms: readonly object[]) =>
  JSON.stringify({
    pipelines: {
      orders: {
        source: {
          plugin: 'http-webhook',
          config: { path: '/in', eventId: '/id', verify: { scheme: 'none' } },
        },
        transforms: [
          ...transforms,
          { plugin: 'route', config: { rules: [], otherwise: { topic: 'orders', partition: 0 } } },
        ],
        sink: { plugin: 'kafka', config: { brokers } },
      },
    },
  })

test.each([0, 1])(
  'events are taken in while a new config is being checked, and no process that takes events checks it, with %i workers',
  async (workers) => {
    const kafka = await startKafka(['orders'])
    onTestFinished(kafka.stop)
    const folder = temporaryDirectory({ 'plugins.config.json': configOf(kafka.bootstrap, []) })
    writeFileSync(join(folder, 'gated.mjs'), GATED(folder))
    const headgate = await startHeadgate({
      config: join(folder, 'plugins.config.json'),
      env: { HEADGATE_WORKERS: String(workers) },
    })
    onTestFinished(async () => void (await headgate.stop()))
    const post = async (id: string) => {
      const body = JSON.stringify({ id })
      const headers = { 'content-type': 'application/json' }
      return (await fetch(new URL('/in', headgate.intake), { method: 'POST', headers, body })).status
    }

    const next = configOf(kafka.bootstrap, [{ plugin: './gated.mjs', config: {} }])
    writeFileSync(join(folder, 'plugins.config.json'), next)
    let isChecked = false
    const reloaded = fetch(new URL('/config/reload', headgate.admin), { method: 'POST' }).then(
      ({ status }) => {
        isChecked = true
        return status
      },
    )
    await vi.waitUntil(() => existsSync(join(folder, 'checked-by')), { timeout: 20_000 })
    expect(await post('during the check')).toBe(200)
    expect(isChecked).toBe(false)

    writeFileSync(join(folder, 'gate'), '')
    expect(await reloaded).toBe(200)
    // The watch may have seen the edit first: then this reload has changed nothing more.
    expect(headgate.lines.join('\n')).toContain(
      '"changed":["orders: transform.0.route","orders: transform.0.gated"',
    )
    expect(await post('after it')).toBe(200)
    const checkedBy = readFileSync(join(folder, 'checked-by'), 'utf8').trim().split(' ')
    expect(checkedBy).not.toContain(String(headgate.pid))
    // Of the watch and of the API: a worker would add another one.
    expect(checkedBy.length).toBeLessThanOrEqual(2)
  },
  60_000,
)

test('a config that cannot be checked is refused with the reason, and the running one stays', async () => {
  const folder = temporaryDirectory({ 'plugins.config.json': configOf('127.0.0.1:1', []) })
  writeFileSync(
    join(folder, 'ends.mjs'),
    `export const ends = {
      kind: 'transform', name: 'ends', summary: '', config: { type: 'object', properties: {} },
      check() { process.exit(3) },
      create: () => ({ apply: (event) => ({ kind: 'pass', event }) }),
    }`,
  )
  const headgate = await startHeadgate({
    config: join(folder, 'plugins.config.json'),
    env: {},
    until: 'listening',
  })
  onTestFinished(() => headgate.kill('SIGKILL'))
  writeFileSync(
    join(folder, 'plugins.config.json'),
    configOf('127.0.0.1:1', [{ plugin: './ends.mjs', config: {} }]),
  )
  const response = await fetch(new URL('/config/reload', headgate.admin), { method: 'POST' })
  expect(response.status).toBe(422)
  expect(await response.text()).toContain('The config could not be checked: its process ended')
  expect((await fetch(new URL('/health', headgate.admin))).status).toBe(200)
}, 60_000)
