import { expect, test } from 'vitest'
import { sendersCommand } from '../../src/commands/senders.js'
import { SENDERS } from '../../src/plugins/source/http-webhook/senders/index.js'
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

test('a sender names the settings that its user has to add', async () => {
  const { out } = await runCommand(sendersCommand, { arguments: ['square'] })
  expect(out).toContain('Add "publicUrl". Square signs the URL that you gave it.')
})

test('a mistyped sender gets a suggestion and is wrong usage', async () => {
  const { code, err } = await runCommand(sendersCommand, { arguments: ['githup'] })
  expect([code, err]).toEqual([2, 'There is no sender "githup". Did you mean "github"?\n'])
})
