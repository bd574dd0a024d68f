/**
 * Configs that could hurt the process, if they were let.
 *
 * | case | test |
 * |---|---|
 * | 24 | a hostile regex or JSONata: refused at load, or an error within its budget while others are served |
 * | 25 | a bad config on reload: the old one keeps running, and every reason is told with its place |
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { sharedByTests } from '../helpers/lasting.js'
import { type Deployment, deploy, eventText } from '../helpers/processes/deployment.js'

const HOSTILE_REGEX = '^(a+)+(b|b)*$'
/** Without an end, for payloads that ask for it. */
const RUNAWAY = "payload.run = 'away' and ($f := function($n) { $f($n + 1) }; $f(0))"

describeKafka('what Headgate promises whatever its config says', () => {
  const running = sharedByTests((atEnd) => {
    const config = (text: string) =>
      text
        .replace(/"when": \{ "regex".*\}/, `"when": { "regex": "${HOSTILE_REGEX}", "at": "/payload/text" }`)
        .replace(/"jsonata": ".*" \}/, `"jsonata": "${RUNAWAY}" }`)
    return deploy(sharedKafka(), { config, atEnd })
  })

  test('case 24: a regex that makes others backtrack without end decides at once', async () => {
    const { post, prefix } = running()
    const evil = `{"text":"${'a'.repeat(100_000)}!"}`
    const [response, other] = await Promise.all([
      post(eventText('evil', evil)),
      post(eventText('other', '{"text":"aaab"}')),
    ])
    expect(response).toMatchObject({ status: 200, body: { topic: `${prefix}.default` } })
    expect(other).toMatchObject({ status: 200, body: { topic: `${prefix}.high` } })
  })

  test('case 24: an expression without end is an error of its event, and others are served', async () => {
    const { post } = running()
    const events = Array.from({ length: 10 }, (_, n) => `id-${n}`)
    const runaways = events.map((id) => post(eventText(`run-${id}`, '{"run":"away"}')))
    const others = events.map((id) => post(eventText(id, '{}')))
    for (const response of await Promise.all(runaways)) {
      expect(response).toMatchObject({ status: 422, body: { code: 'HG_EVENT_TOO_COSTLY' } })
    }
    for (const response of await Promise.all(others)) expect(response.status).toBe(200)
  })

  test.each([
    [
      'HG_CONFIG_JSONATA',
      (text: string) => text.replace(/"jsonata": ".*" \}/, '"jsonata": "$eval(payload)" }'),
    ],
    ['HG_CONFIG_REGEX', (text: string) => text.replace(/"regex": "[^"]*"/, '"regex": "(?=a)b"')],
  ])('case 24: what cannot be bounded is refused at load: %s', async (code, edit) => {
    const { configFile } = running()
    const text = readFileSync(configFile, 'utf8')
    writeFileSync(configFile, edit(text))
    const refused = await headgate('run', running())
    writeFileSync(configFile, text)
    expect(refused).toEqual({ code: 78, output: expect.stringContaining(code) })
    expect(refused.output).toMatch(/plugins\.config\.json:\d+:\d+/)
  })

  test('case 25: a bad config on reload: the old one keeps running, and every reason is told with its place', async () => {
    const { configFile, post, records } = running()
    const text = readFileSync(configFile, 'utf8')
    const bad = text.replace('"eventId"', '"evntId"').replace('"partition": 2', '"partition": "two"')
    writeFileSync(configFile, bad)
    for (const [command, expected] of [
      ['validate', 1],
      ['run', 78],
    ] as const) {
      const { code, output } = await headgate(command, running())
      expect(code).toBe(expected)
      expect(output).toMatch(/HG_CONFIG_UNKNOWN_KEY[\s\S]*Did you mean/)
      expect(output).toMatch(/HG_CONFIG_VALUE/)
      expect(output.match(/plugins\.config\.json:\d+:\d+/g)?.length).toBeGreaterThanOrEqual(2)
    }
    const refused = await reload(running())
    expect(refused.status).toBe(422)
    expect(refused.text).toMatch(/HG_CONFIG_(UNKNOWN_KEY|VALUE)[\s\S]*plugins\.config\.json:\d+:\d+/)
    const { status, refusedConfig = [] } = await readiness(running())
    expect(status).toBe(200)
    expect(refusedConfig.join()).toMatch(/plugins\.config\.json:\d+:\d+/)
    const before = (await records()).length
    expect(await post(eventText('after the edit', '{}'))).toMatchObject({
      status: 200,
      body: { partition: 2 },
    })
    expect(await records()).toHaveLength(before + 1)

    writeFileSync(configFile, text.replace('"partition": 2', '"partition": 1'))
    expect(await reload(running())).toMatchObject({ status: 200 })
    expect(await readiness(running())).toEqual({ status: 200 })
    const routed = await post(eventText('after the correction', '{}'))
    expect(routed).toMatchObject({ status: 200, body: { partition: 1 } })
  })
})

/** A second Headgate on the config file of a running one: how it ends, and what it says. */
function headgate(command: string, { configFile, environment }: Deployment) {
  const args = [builtFile('cli.js'), command, '--config', configFile]
  const options = { env: { ...process.env, ...environment }, timeout: 20_000 }
  return new Promise<{ readonly code: unknown; readonly output: string }>((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    )
  })
}

async function reload({ headgate }: Deployment) {
  const response = await fetch(new URL('/config/reload', headgate.admin), { method: 'POST' })
  return { status: response.status, text: await response.text() }
}

/** The response of /ready, and the reason if the config file was refused. */
async function readiness({ headgate }: Deployment) {
  const response = await fetch(new URL('/ready', headgate.admin))
  const { refusedConfig } = (await response.json()) as { readonly refusedConfig?: readonly string[] }
  return { status: response.status, ...(refusedConfig && { refusedConfig }) }
}
