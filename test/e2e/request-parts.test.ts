import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dlqReplayCommand } from '../../src/commands/dlq/replay.js'
import { startCxone } from '../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { TOPICS, WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment, eventText } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const HIGH = 'cxone.data.actions.high'
const INBOX = 'cxone.data.actions.inbox'
const LATER = { timeout: 30_000, interval: 50 }

/** The shipped config with a first rule that reads a header, and with that header in the records. */
const configText = (header: string, to: object | string, more: (text: string) => string = (text) => text) =>
  more(
    readFileSync(SHIPPED_CONFIG, 'utf8')
      .replaceAll('./schemas/', `${resolve('schemas')}/`)
      .replace(
        '"rules": [',
        `"rules": [{ "name": "kind", "when": { "at": "header:${header}", "regex": "^push$" }, "to": ${JSON.stringify(to)} },`,
      )
      .replace(
        '"plugin": "kafka",\n        "config": {',
        `"plugin": "kafka",\n        "config": { "headers": { "kind": "header:${header}" },`,
      ),
  )

async function setUp(text: string, settings: { readonly [name: string]: string } = {}) {
  const kafka = await startKafka([...TOPICS, INBOX])
  onTestFinished(() => kafka.stop())
  const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
  onTestFinished(() => cxone.close())
  const cwd = temporaryDirectory({ 'plugins.config.json': text })
  const config = join(cwd, 'plugins.config.json')
  const env = { ...environment(kafka.bootstrap, cxone), ...settings }
  const headgate = await startHeadgate({ config, env, within: 45_000 })
  onTestFinished(() => void headgate.kill('SIGKILL'))
  const post = async (id: string, headers: { readonly [name: string]: string }) => {
    const response = await fetch(new URL(WEBHOOK_PATH, headgate.intake), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${env['WEBHOOK_TOKEN']}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: eventText(id, '{}'),
    })
    return ((await response.json()) as { readonly [member: string]: unknown })['topic']
  }
  const records = async () =>
    Object.fromEntries(
      (await readTopics(kafka.bootstrap, TOPICS)).map(({ topic, headers }) => [
        headers['headgate-event-id'],
        {
          topic,
          kind: headers['kind'],
          request: headers['headgate-request'],
          rule: headers['headgate-route'],
        },
      ]),
    )
  return { headgate, cwd, config, env, post, records }
}

const revisionOf = async ({ admin }: HeadgateProcess) =>
  ((await (await fetch(new URL('/ready', admin))).json()) as { readonly revision: string }).revision

const PUSH = '{"headers":{"x-kind":"push"}}'

test('with workers, rules read headers, another config reads others, and a replay decides by those that were kept', async () => {
  const started = await setUp(configText('X-Kind', { topic: HIGH, partition: 0 }), { HEADGATE_WORKERS: '2' })
  const { headgate, cwd, config, env, post, records } = started
  expect(await post('a', { 'X-KIND': 'push' })).toBe(HIGH)
  expect(await post('b', { 'x-other': 'push' })).not.toBe(HIGH)

  const before = await revisionOf(headgate)
  writeFileSync(config, configText('X-Other', 'dead-letter'))
  await expect.poll(() => revisionOf(headgate), LATER).not.toBe(before)
  expect(await post('c', { 'x-kind': 'push' })).not.toBe(HIGH)
  expect(await post('d', { 'x-other': 'push', 'x-kind': 'push' })).toBe('cxone.data.actions.dlq')
  await headgate.stop()
  const other = { kind: 'push', request: '{"headers":{"x-other":"push"}}', rule: 'kind' }
  expect(await records()).toMatchObject({
    a: { topic: HIGH, kind: 'push', request: PUSH, rule: 'kind' },
    b: { kind: undefined, request: '{"headers":{}}', rule: 'otherwise' },
    c: { kind: undefined, request: '{"headers":{}}', rule: 'otherwise' },
    d: other,
  })

  writeFileSync(config, configText('X-Other', { topic: HIGH, partition: 0 }))
  const replayed = await runCommand(dlqReplayCommand, { options: { yes: true } }, { cwd, env })
  expect([replayed.code, replayed.err]).toEqual([0, expect.any(String)])
  const topics = (await readTopics(env['KAFKA_BROKERS'] ?? '', [HIGH])).map(({ headers }) => [
    headers['headgate-event-id'],
    headers['kind'],
    headers['headgate-request'],
  ])
  expect(topics).toEqual([
    ['a', 'push', PUSH],
    ['d', 'push', other.request],
  ])
})

test('an event of an inbox is worked off with the parts of its request', async () => {
  const inbox = (text: string) => text.replace('"source": {', `"inbox": { "topic": "${INBOX}" }, "source": {`)
  const { post, records } = await setUp(configText('X-Kind', { topic: HIGH, partition: 0 }, inbox))
  expect(await post('a', { 'x-kind': 'push' })).toBe(INBOX)
  await expect
    .poll(records, LATER)
    .toMatchObject({ a: { topic: HIGH, kind: 'push', request: PUSH, rule: 'kind' } })
})
