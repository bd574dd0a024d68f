import { expect, onTestFinished, test } from 'vitest'
import type { Probed } from '../../../../src/contract/index.js'
import { cxoneAck } from '../../../../src/plugins/post-commit/cxone-ack/index.js'
import { startCxone } from '../../../../src/sandbox/cxone.js'
import { collected } from '../../../helpers/collected.js'
import { fillDefaults, testContext } from '../../../helpers/context.js'
import { freePorts } from '../../../helpers/free-ports.js'
import { always, credentials } from './setup.js'

const CHECKED_TOKEN = {
  kind: 'checked',
  message: 'The token endpoint issues a token for these credentials.',
}

async function simulator() {
  const cxone = await startCxone(credentials)
  onTestFinished(() => cxone.close())
  return cxone
}

async function probed(baseUrl: string, config: object = {}, timeout = 5000): Promise<Probed[]> {
  const { files, signal } = testContext()
  const settings = fillDefaults(cxoneAck, { baseUrl, ...credentials, ...config })
  const context = {
    ...{ pipeline: 'test', files, signal, at: '/ack', targets: [], sources: [], maxBody: undefined },
    ...{ isShared: false, workers: 0, redeliveryWindow: 0, timeout },
  }
  return collected(cxoneAck.probe?.(settings, context))
}

test('a token is asked for and the API is reached, and nothing is acknowledged', async () => {
  const cxone = await simulator()
  expect(await probed(cxone.url)).toEqual([
    CHECKED_TOKEN,
    { kind: 'checked', message: 'The API responds (404 to OPTIONS /; nothing was acknowledged).' },
  ])
  expect([cxone.tokensIssued, cxone.responses.size, cxone.acknowledged.size]).toEqual([1, 0, 0])
})

test('credentials that are refused are an error at the secret, which is not shown', async () => {
  const { url } = await simulator()
  const [token, api] = await probed(url, { clientSecret: 'another secret' })
  expect(token).toEqual({
    kind: 'error',
    at: '/ack/clientSecret',
    code: 'HG_ACK_TOKEN',
    message: 'The token endpoint answered 401 (invalid_client).',
    suggestion: expect.any(String),
  })
  expect(api?.kind).toBe('checked')
  expect(JSON.stringify(token)).not.toContain('another secret')
})

test('an endpoint that is not there is an error at its URL', async () => {
  const { url } = await simulator()
  expect((await probed(url, { oauth: { tokenUrl: '/token' } }))[0]).toMatchObject({
    at: '/ack/baseUrl',
    message: 'The token endpoint answered 404 (not_found).',
  })
  const [dead] = await freePorts(1)
  const elsewhere = `http://127.0.0.1:${dead}`
  expect(await probed(url, { oauth: { tokenUrl: `${elsewhere}/token` } })).toMatchObject([
    { at: '/ack/oauth/tokenUrl', message: 'The token endpoint did not respond: ECONNREFUSED.' },
    { kind: 'checked' },
  ])
  expect(await probed(elsewhere, { oauth: { tokenUrl: `${url}/oauth/token` } })).toEqual([
    CHECKED_TOKEN,
    {
      kind: 'error',
      at: '/ack/baseUrl',
      code: 'HG_ACK_UNREACHABLE',
      message: 'The API did not respond: ECONNREFUSED.',
    },
  ])
})

test('an endpoint that never answers is given up in time, and the other one is asked all the same', async () => {
  const cxone = await simulator()
  cxone.script('token', always('hang'))
  expect(await probed(cxone.url, {}, 200)).toMatchObject([
    {
      kind: 'error',
      at: '/ack/baseUrl',
      message: expect.stringMatching(/did not respond: no complete response within 0\.2 s/),
    },
    { kind: 'checked' },
  ])
})
