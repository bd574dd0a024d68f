import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { filesIn } from '../../../../../src/config/files.js'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { verifier } from '../../../../../src/plugins/source/http-webhook/verify/schemes.js'
import { checkContext, fillDefaults, temporaryDirectory } from '../../../../helpers/context.js'
import { requestWith, startWebhook } from '../webhook.js'

const ISSUER = 'https://issuer.example/'
const AUDIENCE = 'api://headgate'

/** A key pair of the issuer, as it signs and as it publishes; without `kid`, tokens do not name it. */
async function issuerKey(kid?: string, algorithm = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(algorithm)
  const named = kid === undefined ? {} : { kid }
  const jwk = { ...(await exportJWK(publicKey)), ...named, alg: algorithm, use: 'sig' }
  const sign = (claims: object = {}, { exp = '5m', issuer = ISSUER, audience = AUDIENCE } = {}) => {
    const token = new SignJWT({ appid: 'app-1', ...claims })
      .setProtectedHeader({ alg: algorithm, ...named })
      .setIssuer(issuer)
      .setAudience(audience)
    return (exp === '' ? token : token.setExpirationTime(exp)).sign(privateKey)
  }
  return { jwk, sign }
}

/** The endpoint of an issuer: it publishes the keys, or fails with a status. */
async function startIssuer(...published: object[]) {
  const state = {
    keys: published,
    status: 200,
    requests: 0,
    padding: '',
    /** Instead of the keys. */
    page: undefined as string | undefined,
  }
  const server = createServer((_request, response) => {
    state.requests++
    response.writeHead(state.status, { 'content-type': 'application/json' })
    response.end(state.page ?? JSON.stringify({ keys: state.keys, padding: state.padding }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  return { state, url }
}

const settings = (keys: object, more: object = {}) => ({
  scheme: 'jwt',
  keys,
  issuers: [ISSUER],
  audiences: [AUDIENCE],
  ...more,
})

function verifying(keys: object, more: object = {}, folder = temporaryDirectory()) {
  const verify = settings(keys, more)
  const config = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify })
  const { head, prepare } = verifier(config.verify, undefined, filesIn(folder))
  return async (token: string, header = 'authorization') => {
    const request = requestWith({ [header]: token })
    head?.(request)
    await prepare?.(request)
  }
}

const unauthenticated = (message: string) =>
  expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED', message: expect.stringContaining(message) })

describe('jwt', () => {
  it('accepts a token that the issuer has signed for this receiver, and nothing else', async () => {
    const [key, other] = await Promise.all([issuerKey('1'), issuerKey('1')])
    const folder = temporaryDirectory({ 'keys.json': JSON.stringify({ keys: [key.jwk] }) })
    const verify = verifying({ file: 'keys.json' }, { claims: { appid: ['app-1', 'app-2'] } }, folder)
    await expect(verify(`Bearer ${await key.sign()}`)).resolves.toBeUndefined()
    await expect(verify(`bearer ${await key.sign({ appid: 'app-2' })}`)).resolves.toBeUndefined()
    const refused = [
      [await other.sign(), 'signature verification failed'],
      [await key.sign({}, { issuer: 'https://other.example/' }), '"iss"'],
      [await key.sign({}, { audience: 'api://other' }), '"aud"'],
      [await key.sign({}, { exp: '-2m' }), '"exp"'],
      [await key.sign({}, { exp: '' }), '"exp"'],
      [await key.sign({ appid: 'app-3' }), 'The claim appid'],
      [await key.sign({ appid: undefined }), 'The claim appid'],
      [`${await key.sign()}x`, 'The token is refused'],
    ] as const
    for (const [token, message] of refused)
      await expect(verify(`Bearer ${token}`), message).rejects.toEqual(unauthenticated(message))
  })

  it('accepts a token that names no key by any of those that fit it, while the issuer changes them', async () => {
    const [one, two, other] = await Promise.all([issuerKey(), issuerKey(), issuerKey()])
    const folder = temporaryDirectory({ 'keys.json': JSON.stringify({ keys: [one.jwk, two.jwk] }) })
    const verify = verifying({ file: 'keys.json' }, {}, folder)
    for (const { sign } of [one, two]) await expect(verify(await sign())).resolves.toBeUndefined()
    await expect(verify(await other.sign())).rejects.toEqual(unauthenticated('signature verification failed'))
    await expect(verify(await two.sign({}, { exp: '-2m' }))).rejects.toEqual(unauthenticated('"exp"'))
  })

  it.each(['', 'Bearer', 'Basic abc', 'Bearer a.b', 'Bearer a.b.c.d', 'Bearer a.b.c, Bearer a.b.c'])(
    'refuses "%s" before the body is read',
    async (text) => {
      const verify = verifying({ url: 'https://issuer.example/keys' })
      await expect(verify(text)).rejects.toMatchObject({ code: 'HG_INTAKE_UNAUTHENTICATED' })
    },
  )

  it('takes no algorithm that is not configured, and never "none"', async () => {
    const key = await issuerKey('1', 'ES384')
    const folder = temporaryDirectory({ 'keys.json': JSON.stringify({ keys: [key.jwk] }) })
    const verify = verifying({ file: 'keys.json' }, {}, folder)
    await expect(verify(await key.sign())).rejects.toEqual(unauthenticated('"alg"'))
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part({ iss: ISSUER, aud: AUDIENCE, exp: 9e9 })}.AA`
    await expect(verify(unsigned)).rejects.toMatchObject({ code: 'HG_INTAKE_UNAUTHENTICATED' })
  })

  it('fetches the keys once, and again for a key that it does not know, but not for each of a stranger', async () => {
    const [one, two] = await Promise.all([issuerKey('1'), issuerKey('2')])
    const { state, url } = await startIssuer(one.jwk, two.jwk)
    const verify = verifying({ url })
    await Promise.all([verify(await one.sign()), verify(await two.sign()), verify(await one.sign())])
    expect(state.requests).toBe(1)
    const stranger = await issuerKey('3')
    for (const _ of [1, 2, 3])
      await expect(verify(await stranger.sign())).rejects.toMatchObject({ code: 'HG_INTAKE_UNAUTHENTICATED' })
    expect(state.requests).toBe(1)
  })

  it('has the sender try again if the keys cannot be fetched, and recovers', async () => {
    const key = await issuerKey('1')
    const { state, url } = await startIssuer(key.jwk)
    state.status = 500
    const verify = verifying({ url })
    const failure = { code: 'HG_INTAKE_KEYS', kind: 'infrastructure' }
    await expect(verify(await key.sign())).rejects.toMatchObject(failure)
    await expect(verify(await key.sign())).rejects.toMatchObject(failure)
    expect(state.requests).toBe(1)
    state.status = 200
    await expect
      .poll(async () => verify(await key.sign()).catch((error) => error), { timeout: 15_000 })
      .toBe(undefined)
  })

  it.each(['<html>Down for maintenance</html>', '', '{"keys":7}', '{"keys":[[]]}', 'null'])(
    'has the sender try again if the issuer publishes %j instead of keys, and does not ask for each token',
    async (page) => {
      const key = await issuerKey('1')
      const { state, url } = await startIssuer(key.jwk)
      state.page = page
      const verify = verifying({ url })
      const token = await key.sign()
      for (const _ of [1, 2, 3])
        await expect(verify(token)).rejects.toMatchObject({
          code: 'HG_INTAKE_KEYS',
          message: expect.stringContaining('cannot be fetched'),
        })
      expect(state.requests).toBe(1)
    },
  )

  it('reads no endless key set', async () => {
    const key = await issuerKey('1')
    const { state, url } = await startIssuer(key.jwk)
    state.padding = 'x'.repeat(300_000)
    await expect(verifying({ url })(await key.sign())).rejects.toMatchObject({
      code: 'HG_INTAKE_KEYS',
      message: expect.stringContaining('larger than'),
    })
  })

  it('decides about events of a source, whose other limits hold while it waits', async () => {
    const key = await issuerKey('1')
    const { url } = await startIssuer(key.jwk)
    const { post, outcomes } = await startWebhook({ verify: settings({ url }) })
    const send = async (token: string) => post('{"id":"a"}', { authorization: `Bearer ${token}` })
    expect((await send(await key.sign())).status).toBe(200)
    expect(await send(await key.sign({}, { audience: 'x' }))).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    })
    expect(outcomes).toMatchObject([{ kind: 'delivered' }, { kind: 'rejected' }])
  })
})

describe('settings of jwt', () => {
  const problems = (keys: object, files: { [name: string]: string } = {}) => {
    const config = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify: settings(keys) })
    const context = checkContext({ files: filesIn(temporaryDirectory(files)) })
    return [...(httpWebhook.check?.(config, context) ?? [])].map(({ at }) => at)
  }

  it('need keys of one place, which nobody on the way can replace', () => {
    expect(problems({ url: 'https://issuer.example/keys' })).toEqual([])
    expect(problems({ url: 'http://[::1]:1/keys' })).toEqual([])
    expect(problems({})).toEqual(['/verify/keys'])
    expect(problems({ url: 'http://issuer.example/keys' })).toEqual(['/verify/keys/url'])
  })

  it('need a file with public keys', () => {
    expect(problems({ file: 'k' }, { k: '{"keys":[]}' })).toEqual([])
    for (const k of ['', '[]', '{"keys":[{"kty":"EC","d":"private"}]}'])
      expect(problems({ file: 'k' }, { k })).toEqual(['/verify/keys/file'])
  })
})
