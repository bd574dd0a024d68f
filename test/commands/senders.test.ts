import { expect, test } from 'vitest'
import { sendersCommand } from '../../src/commands/senders.js'
import { readSettings } from '../../src/config/stage-settings.js'
import { httpWebhook } from '../../src/plugins/source/http-webhook/index.js'
import { SENDERS } from '../../src/plugins/source/http-webhook/senders/index.js'
import { senderKey } from '../../src/plugins/source/http-webhook/simulated-sender/key.js'
import { runCommand } from '../helpers/recorded-io.js'

test('without a name every sender is listed', async () => {
  const { code, out } = await runCommand(sendersCommand)
  expect(code).toBe(0)
  for (const { name, title } of SENDERS)
    expect(out).toMatch(new RegExp(`^${name} +${title.slice(0, 4)}`, 'm'))
})

test('a sender is shown as the settings that it stands for, with its documentation', async () => {
  const { code, out } = await runCommand(sendersCommand, { arguments: ['okta'] })
  expect(code).toBe(0)
  expect(JSON.parse(out.slice(out.indexOf('{'), out.indexOf('\n}') + 2))).toMatchObject({
    eventId: '/eventId',
    verify: { scheme: 'api-key', header: 'Authorization', keys: ['${env:SECRET}'] },
    responses: { delivered: { status: 204, body: false } },
  })
  expect(out).toContain('https://developer.okta.com/')
  expect(out).toContain('The sender waits 3s for a response.')
})

test.each(SENDERS)('$name is shown with the settings that it has in a config', async (sender) => {
  const { name, settings, needs = {} } = sender
  const { out } = await runCommand(sendersCommand, { arguments: [name] })
  const { configured } = senderKey(
    settings['verify'] as Parameters<typeof senderKey>[0],
    'a-secret-of-a-test',
  )
  const shown = JSON.parse(
    out.slice(out.indexOf('{'), out.indexOf('\n}') + 2).replaceAll('${env:SECRET}', configured),
  )
  const token = { values: ['verify-token'] }
  const added = {
    path: '/in',
    ...('eventId' in needs && { eventId: '/id' }),
    ...('publicUrl' in needs && { publicUrl: 'https://hooks.example.com' }),
  }
  const used = readSettings(httpWebhook, {
    ...added,
    ...('handshake' in needs && { handshake: { token } }),
    sender: name,
    secrets: [configured],
  })
  if ('handshake' in needs) Object.assign(shown.handshake.token, token)
  const written = readSettings(httpWebhook, { ...added, ...shown })
  expect([...used.problems, ...written.problems]).toEqual([])
  expect({ ...(written.config as object), sender: name }).toEqual(used.config)
})

test('a sender names the pages that have its retries, and the statuses that it takes for a success', async () => {
  const { out } = await runCommand(sendersCommand, { arguments: ['dropbox'] })
  expect(out).toContain('It takes 200 for a success, and nothing else.')
  expect(out).toContain('(https://www.dropbox.com/developers/reference/webhooks)')
})

test('a sender names the settings that its user has to add', async () => {
  const { out } = await runCommand(sendersCommand, { arguments: ['square'] })
  expect(out).toContain('Add "publicUrl". Square signs the URL that you gave it.')
})

test('a mistyped sender gets a suggestion and is wrong usage', async () => {
  const { code, err } = await runCommand(sendersCommand, { arguments: ['githup'] })
  expect([code, err]).toEqual([2, 'There is no sender "githup". Did you mean "github"?\n'])
})
