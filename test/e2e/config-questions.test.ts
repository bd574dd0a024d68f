import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'

const source = { plugin: 'http-webhook', config: { path: '/in', eventId: '/id', verify: { scheme: 'none' } } }
const sink = { plugin: 'kafka', config: { brokers: '127.0.0.1:1' } }
const route = (rules: object[] = []) => ({
  plugin: 'route',
  config: { rules, otherwise: { topic: 't', partition: 0 } },
})
const pipeline = (...transforms: object[]) => ({ source, transforms: [...transforms, route()], sink })

const PLUGIN = (marker: string) => `
import { writeFileSync } from 'node:fs'
writeFileSync(${JSON.stringify(marker)}, 'it ran')
export const it = { kind: 'transform', name: 'it', summary: '', config: { type: 'object', properties: {} }, create: () => ({ apply: (event) => ({ kind: 'pass', event }) }) }
`

describe('a question about a config, without a token and on loopback', () => {
  const shared = sharedByTests(async (atEnd) => {
    const folder = temporaryDirectory({}, atEnd)
    writeFileSync(join(folder, 'plugins.config.json'), JSON.stringify({ pipelines: { it: pipeline() } }))
    writeFileSync(join(folder, 'plugin.mjs'), PLUGIN(join(folder, 'ran')))
    execFileSync('mkfifo', [join(folder, 'fifo')])
    const headgate = await startHeadgate({
      config: join(folder, 'plugins.config.json'),
      env: { HEADGATE_STATE_DIR: join(folder, 'state') },
      until: 'listening',
    })
    atEnd(() => headgate.kill('SIGKILL'))
    return { folder, headgate }
  })

  const put = async (path: string, body: object) => {
    const response = await fetch(new URL(path, shared().headgate.admin), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, text }
  }
  const validate = (settings: object) =>
    put('/connector-plugins/headgate.Pipeline/config/validate', { name: 'it', ...settings })
  const health = async () => (await fetch(new URL('/health', shared().headgate.admin))).status

  it('is answered for what runs', async () => {
    const { status, text } = await validate(pipeline())
    expect([status, JSON.parse(text).error_count]).toEqual([200, 0])
    const short = await put('/connector-plugins/Pipeline/config/validate', { name: 'it', ...pipeline() })
    expect(JSON.parse(short.text)).toEqual(JSON.parse(text))
  })

  it('runs no code of a plugin that does not run', async () => {
    const { text } = await validate(pipeline({ plugin: './plugin.mjs', config: {} }))
    expect(text).toContain('HG_CONFIG_PLUGIN_LOAD')
    expect(text).toContain('the admin API loads no other plugins')
    expect(existsSync(join(shared().folder, 'ran'))).toBe(false)
  })

  it.each([
    ['./fifo', 'it is not a regular file'],
    ['/dev/zero', 'it is not below'],
    ['/etc/hostname', 'it is not below'],
    ['../../etc/hostname', 'it is not below'],
    ['./none', 'there is no such file'],
  ])('reads no schema at %s, and waits for nothing', async (schema, reason) => {
    const { text } = await validate(pipeline({ plugin: 'json-schema', config: { schema } }))
    expect(text).toContain(reason)
    const stage = await put('/connector-plugins/json-schema/config/validate', { schema })
    expect(stage.text).toContain(reason)
    expect(await health()).toBe(200)
  })

  it('holds nobody up, however costly it is', async () => {
    const rules = Array.from({ length: 4000 }, (_, index) => ({
      name: `rule-${index}`,
      when: { regex: `"field${index}"\\s*:\\s*"(a|b)+${index}[^"]*"` },
      to: { topic: 't', partition: 0 },
    }))
    let answered = false
    const asked = validate({ ...pipeline(), transforms: [route(rules)] }).finally(() => {
      answered = true
    })
    let probes = 0
    while (!answered) {
      expect(await health()).toBe(200)
      probes++
    }
    const { status } = await asked
    expect([200, 413, 503]).toContain(status)
    expect(probes).toBeGreaterThan(1)
  })
})
