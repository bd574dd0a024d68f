import { expect, test } from 'vitest'
import { dryRunCommand } from '../../src/commands/dry-run.js'
import { explainCommand } from '../../src/commands/explain.js'
import { loadConfig } from '../../src/commands/load.js'
import { testCommand } from '../../src/commands/test.js'
import type { DryRunQuestion, TriedEvent } from '../../src/dry-run/dry-run-process.js'
import { readSettings } from '../../src/process/settings.js'
import { temporaryDirectory } from '../helpers/context.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'
import { runCommand } from '../helpers/recorded-io.js'

const EVENT = dataAction('da-1', { region: 'eu-west' })
const ENV = {
  WEBHOOK_TOKEN: 'the-token-of-the-sender',
  KAFKA_BROKERS: '127.0.0.1:1',
  CXONE_BASE_URL: 'https://cxone.example',
  CXONE_CLIENT_ID: 'the-client-id-of-headgate',
  CXONE_CLIENT_SECRET: 'the-secret-of-the-client',
}

/** Asks the command as a running process does, whose config was loaded before. */
async function ask(kind: 'explain' | 'scenario', event: Partial<TriedEvent> = {}) {
  const cwd = temporaryDirectory({ ...shippedFiles(), 'event.json': EVENT })
  const read = readSettings({}, {})
  if (!read.ok) throw new Error('no settings')
  const { settings } = read
  const io = { cwd, env: ENV }
  const loaded = await loadConfig(settings, io as unknown as Parameters<typeof loadConfig>[1])
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { revision, watched, contents } = loaded.config
  const question: DryRunQuestion = {
    settings,
    files: { revision, watched, contents: [...contents()] },
    subject: { kind, event: { pipeline: 'cxone-data-actions', headers: {}, body: EVENT, ...event } },
  }
  const { out } = await runCommand(
    dryRunCommand,
    {},
    { ...io, stdin: async () => Buffer.from(JSON.stringify(question)) },
  )
  return { reply: JSON.parse(out), text: out, io }
}

test('an event is explained as by the command', async () => {
  const { reply, io } = await ask('explain')
  const { out } = await runCommand(explainCommand, { arguments: ['event.json'], options: { json: true } }, io)
  expect(reply).toEqual({ ok: true, result: JSON.parse(out) })
})

test('a body that is bytes is run as these bytes', async () => {
  const bytes = Buffer.from('{"dataActionId": "\u00e9"}', 'latin1')
  const body = { body: bytes.toString('base64'), bodyEncoding: 'base64' } as const
  const { reply } = await ask('explain', body)
  expect(reply.result.outcome).toMatchObject({ kind: 'rejected', code: 'HG_INTAKE_NOT_UTF8' })
  const text = { body: Buffer.from(EVENT).toString('base64'), bodyEncoding: 'base64' } as const
  const { reply: scenario } = await ask('scenario', text)
  expect(scenario).toEqual((await ask('scenario')).reply)
})

test('the sender is verified by headers, and no secret is in the reply', async () => {
  const headers = { authorization: `Bearer ${ENV.WEBHOOK_TOKEN}` }
  const { reply, text } = await ask('explain', { headers })
  expect(reply.result.verification).toEqual({ kind: 'given' })
  expect(reply.result.outcome.kind).toBe('delivered')
  for (const name of ['WEBHOOK_TOKEN', 'CXONE_CLIENT_SECRET'] as const) expect(text).not.toContain(ENV[name])
  const wrong = await ask('explain', { headers: { authorization: 'Bearer nobody' } })
  expect(wrong.reply.result.outcome).toMatchObject({ kind: 'rejected', code: 'HG_INTAKE_UNAUTHENTICATED' })
})

test('a pipeline that the config does not have is an error with its code', async () => {
  const { reply } = await ask('explain', { pipeline: 'none' })
  expect(reply).toEqual({ ok: false, code: 'HG_CONFIG_VALUE', message: 'There is no pipeline "none".' })
})

test('a scenario of the event passes, and has its headers without credentials', async () => {
  const headers = { 'x-kind': 'test', authorization: 'Bearer nobody' }
  const { reply, io } = await ask('scenario', { headers })
  const { text, doubts } = reply.result
  expect(JSON.parse(text).scenarios).toMatchObject([
    { name: 'da-1: eu-west', headers: { 'x-kind': 'test' }, expect: { route: 'eu-west' } },
  ])
  expect(doubts).toEqual([expect.stringContaining('The header authorization is left out')])
  const folder = temporaryDirectory({ ...shippedFiles(), 'scenarios/one.json': text })
  const { code, out } = await runCommand(testCommand, {}, { ...io, cwd: folder })
  expect([code, out]).toEqual([0, expect.stringContaining('1 scenario, all pass.')])
})
