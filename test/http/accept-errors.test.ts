import { createServer } from 'node:http'
import { expect, it } from 'vitest'
import { logAcceptErrors } from '../../src/http/server.js'
import { testContext } from '../helpers/context.js'

it('logs failed accepts at most once a minute, and keeps running', () => {
  const { log, lines } = testContext()
  const server = createServer()
  logAcceptErrors(server, log)
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
  for (let count = 0; count < 1000; count++) server.emit('error', error)
  expect(lines).toMatchObject([{ level: 'error', fields: { count: 1, err: error } }])
})
