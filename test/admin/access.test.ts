import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type AccessOptions, createAccess, generateToken, tokenFileOf } from '../../src/admin/access.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'

const TOKEN = 'a-token-of-some-length'

async function access(options: Partial<AccessOptions>) {
  const { log, lines } = testContext()
  const refuse = await createAccess({ host: '127.0.0.1', tokenFile: '', open: ['/health'], log, ...options })
  const status = async (headers: object = {}, path = '/ledger') =>
    (await refuse({ headers: { host: '127.0.0.1:8083', ...headers } }, path))?.status ?? 200
  return { refuse, status, lines }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('with a file of tokens', () => {
  const file = (text: string) => join(temporaryDirectory({ tokens: text }), 'tokens')

  test('everything but the open paths wants one of them, wherever the listener is', async () => {
    const tokenFile = file(`# the next one\n${TOKEN}\n\nanother-token-0123456789\n`)
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const { status } = await access({ host, tokenFile })
      expect(await status({}, '/health')).toBe(200)
      expect(await status()).toBe(401)
      expect(await status({}, '/nowhere')).toBe(401)
      expect(await status(bearer(TOKEN))).toBe(200)
      expect(await status(bearer('another-token-0123456789'))).toBe(200)
      expect(await status({ authorization: `bearer ${TOKEN}`, host: 'headgate.example' })).toBe(200)
      for (const wrong of [`${TOKEN}x`, TOKEN.slice(1), '# the next one', ''])
        expect(await status(bearer(wrong))).toBe(401)
      expect(await status({ authorization: `Basic ${TOKEN}` })).toBe(401)
      const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
      expect(await status(basic(`anyone:${TOKEN}`))).toBe(200)
      expect([await status(basic(`${TOKEN}:`)), await status(basic(TOKEN))]).toEqual([401, 401])
    }
  })

  test('the response says how to ask, and holds no token', async () => {
    const { refuse } = await access({ tokenFile: file(TOKEN) })
    const response = await refuse({ headers: {} }, '/ledger')
    expect(response?.headers['www-authenticate']).toBe('Bearer realm="headgate"')
    expect(response?.body).not.toContain(TOKEN)
  })

  test('another file counts at once, and one that cannot be used lets nobody in', async () => {
    const tokenFile = file(TOKEN)
    const { status, lines } = await access({ tokenFile })
    writeFileSync(tokenFile, 'the-token-after-that-one')
    expect(await status(bearer(TOKEN))).toBe(401)
    expect(await status(bearer('the-token-after-that-one'))).toBe(200)
    writeFileSync(tokenFile, '')
    expect(await status(bearer('the-token-after-that-one'))).toBe(503)
    expect(await status({}, '/health')).toBe(200)
    expect(lines.map(({ fields }) => fields)).toEqual([{ code: 'HG_ADMIN_TOKEN' }])
  })

  test.each(['', '# only a comment\n', 'too-short\n', 'has spaces in its middle\n', `${TOKEN}\nshort`])(
    'a file with %j is refused at start, and not shown',
    async (text) => {
      const refused = access({ tokenFile: file(text) })
      await expect(refused).rejects.toMatchObject({ code: 'HG_ADMIN_TOKEN' })
      await expect(refused).rejects.not.toThrow(/too-short|spaces|of-some-length/)
    },
  )
})

describe('without one', () => {
  test('a listener beyond loopback is refused', async () => {
    await expect(access({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'HG_ADMIN_EXPOSED' })
  })

  test('where the operator says "none", only the open paths are served', async () => {
    const { status } = await access({ host: '0.0.0.0', tokenFile: 'none' })
    expect(await status({}, '/health')).toBe(200)
    expect([await status(), await status(bearer(TOKEN)), await status({}, '/nowhere')]).toEqual([
      403, 403, 403,
    ])
  })

  test.each(['127.0.0.1:8083', 'localhost:8083', 'localhost', '[::1]:8083', '127.9.9.9'])(
    'on loopback %s is answered',
    async (host) => {
      const { status } = await access({})
      expect(await status({ host })).toBe(200)
    },
  )

  test.each([
    'evil.example',
    'localhost.evil.example:8083',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '',
    'a b',
    undefined,
  ])('the Host %j is not, for pages from anywhere can be made to ask with it', async (host) => {
    const { status } = await access({})
    expect(await status({ host })).toBe(403)
    expect(await status({ host }, '/health')).toBe(200)
  })

  test('the pages of the console need localhost too', async () => {
    const { status } = await access({})
    expect(await status({}, '/console')).toBe(200)
    expect(await status({ host: 'evil.example' }, '/console')).toBe(403)
  })
})

describe('a web page of another origin', () => {
  const html = { accept: 'text/html,*/*' }
  const fromSite = (site: string, mode: string) => ({ 'sec-fetch-site': site, 'sec-fetch-mode': mode })

  test.each([
    ['without a token', '', {}],
    // As the browser keeps them, and sends them along with a form of any page.
    ['with the token', TOKEN, { authorization: `Basic ${Buffer.from(`a:${TOKEN}`).toString('base64')}` }],
  ])('is refused %s', async (_title, tokens, headers) => {
    const tokenFile = tokens === '' ? '' : join(temporaryDirectory({ tokens }), 'tokens')
    const { status } = await access({ tokenFile })
    const from = (more: object, path?: string) => status({ ...headers, ...more }, path)
    expect(await from({ origin: 'https://evil.example' })).toBe(403)
    expect(await from({ origin: 'null' })).toBe(403)
    expect(await from(fromSite('cross-site', 'no-cors'), '/tap')).toBe(403)
    expect(await from(fromSite('same-site', 'no-cors'), '/tap')).toBe(403)
    expect(await from(fromSite('cross-site', 'navigate'), '/connectors')).toBe(403)
    expect(await from({ ...fromSite('cross-site', 'no-cors') }, '/console')).toBe(403)
  })

  test('may link to the console, which then asks as its own origin', async () => {
    const { status } = await access({})
    expect(await status(fromSite('cross-site', 'navigate'), '/console')).toBe(200)
    expect(await status({ ...fromSite('cross-site', 'navigate'), ...html }, '/')).toBe(200)
    expect(await status({ origin: 'http://127.0.0.1:8083', ...fromSite('same-origin', 'cors') })).toBe(200)
    expect(await status(fromSite('none', 'navigate'))).toBe(200)
  })
})

describe('the pages of the console', () => {
  test.each(['none', 'a file of tokens'])('are served before a browser has a token (%s)', async (kind) => {
    const tokenFile = kind === 'none' ? kind : join(temporaryDirectory({ tokens: TOKEN }), 'tokens')
    const { status } = await access({ tokenFile, host: '0.0.0.0' })
    expect(await status({}, '/console')).toBe(200)
    expect(await status({}, '/console/assets/index-1.js')).toBe(200)
    expect(await status({ accept: 'text/html' }, '/')).toBe(200)
    expect(await status({ accept: '*/*' }, '/')).not.toBe(200)
    expect(await status({}, '/consoles')).not.toBe(200)
  })
})

describe('a generated token', () => {
  test('is made once, for nobody else to read, and is asked for like one of a file', async () => {
    const settings = { adminTokenFile: 'generate', stateDir: temporaryDirectory({}) }
    await generateToken(settings)
    const file = tokenFileOf(settings)
    const text = readFileSync(file, 'utf8')
    await generateToken(settings)
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { status } = await access({ host: '0.0.0.0', tokenFile: file })
    expect([await status(), await status(bearer(text.trim()))]).toEqual([401, 200])
  })

  test('that cannot be written is an error with its place', async () => {
    const settings = { adminTokenFile: 'generate', stateDir: '/nowhere' }
    await expect(generateToken(settings)).rejects.toMatchObject({
      code: 'HG_ADMIN_TOKEN',
      message: 'Cannot write the admin token to /nowhere/admin-token (ENOENT).',
    })
  })
})
