import { expect, test } from 'vitest'
import { sandboxCommand } from '../../src/commands/sandbox.js'
import { runCommand } from '../helpers/recorded-io.js'

test('a sender that there is none of is wrong usage, with a suggestion', async () => {
  const { code, err } = await runCommand(sandboxCommand, { options: { sender: 'strip' } })
  expect([code, err]).toEqual([2, 'There is no sender "strip". Did you mean "stripe"?\n'])
})
