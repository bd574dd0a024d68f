import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ConfigFile } from '../../../src/admin/config/config-file.js'
import { type ConfigHost, configRoutes } from '../../../src/admin/config/config-routes.js'
import { checkResultOf } from '../../../src/config/check-process.js'
import type { CompareRequest } from '../../../src/dry-run/dry-run-process.js'
import { bench, pipelineOf } from '../../pipeline/reload/setup.js'
import { idleAdmin } from '../idle-admin.js'

const SECRET = 'in-clear-and-secret'

async function served({ writable = true } = {}) {
  const orders = { ...pipelineOf(), sink: { plugin: 'out', config: { n: 1, password: SECRET } } }
  const it = await bench({ pipelines: { orders } })
  const { reloader } = it
  const redact = (text: string) => text
  const checked: string[] = []
  const compared: Omit<CompareRequest, 'running'>[] = []
  const checker = {
    file: async (text: string) => checkResultOf(it.read(text)),
    findings: async (text: string) => {
      checked.push(text)
      return { ok: true, problems: [] }
    },
  }
  const dryRuns = {
    compare: async (request: Omit<CompareRequest, 'running'>) => {
      compared.push(request)
      return { pipeline: request.pipeline }
    },
  } as unknown as ConfigHost['dryRuns']
  const configFile = new ConfigFile({ file: it.configFile, writable, checker, reloader, redact })
  const admin = await idleAdmin(
    configRoutes({ configFile, reloader, checker, dryRuns, plugins: it.definitions, redact }),
  )
  const ask = async (question: string, body?: object, headers: { [name: string]: string } = {}) => {
    const [method = '', path = ''] = question.split(' ')
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(admin.url + path, { method, headers, ...init })
    const found = (await response.json()) as { readonly [name: string]: never }
    return { status: response.status, body: found, etag: response.headers.get('etag') }
  }
  const read = async () =>
    (await ask('GET /config')).body as unknown as { readonly text: string; readonly tag: string }
  const onDisk = () => readFileSync(it.configFile, 'utf8')
  return { it, ask, read, onDisk, checked, compared }
}

test('the text has no secret; it is checked and compared with them', async () => {
  const { ask, read, checked, compared } = await served()
  const { text } = await read()
  expect(text).not.toContain(SECRET)
  expect(await ask('POST /config/check', { text })).toMatchObject({ status: 200, body: { ok: true } })
  expect(checked).toEqual([expect.stringContaining(SECRET)])
  expect((await ask('POST /config/diff', { text, pipeline: 'orders', limit: 7 })).status).toBe(200)
  expect(compared).toEqual([{ pipeline: 'orders', limit: 7, text: checked[0] }])
})

test('the schema knows the plugins', async () => {
  const { ask } = await served()
  const { body } = await ask('GET /config/schema')
  expect(JSON.stringify(body)).toContain('"choose"')
})

test('a change is in effect when it is responded to, keeps the secret, and can be taken back', async () => {
  const { it, ask, read, onDisk } = await served()
  const before = await read()
  const changed = before.text.replace(/("plugin":"choose","config":\{"n":)1/, '$12')
  expect(changed).not.toBe(before.text)
  const applied = await ask('PUT /config', { text: changed }, { 'if-match': before.tag })
  expect(applied).toMatchObject({ status: 200, body: { changed: true } })
  expect(onDisk()).toContain(SECRET)
  expect(await it.take('a')).toMatchObject({ receipt: { topic: 'topic-2' } })

  const after = await ask('GET /config')
  expect(after.etag).toBe(after.body['tag'])
  const [earlier] = after.body['earlier'] as unknown as readonly { readonly revision: string }[]
  const { body: old } = await ask(`GET /config/revisions/${earlier?.revision}`)
  expect(old['text']).toBe(before.text)
  const back = { 'if-match': String(after.body['tag']) }
  expect((await ask('PUT /config', { text: old['text'] }, back)).status).toBe(200)
  expect(await it.take('b')).toMatchObject({ receipt: { topic: 'topic-1' } })
})

test('a change that is based on another text than that of the file is refused', async () => {
  const { it, ask, read, onDisk } = await served()
  const { text, tag } = await read()
  it.write(`${onDisk()} // another change`)
  expect((await ask('PUT /config', { text }, { 'if-match': tag })).status).toBe(412)
  expect((await ask('PUT /config', { text })).status).toBe(428)
  expect(onDisk()).toContain('another change')
})

test('a config with a problem is refused, and the file stays', async () => {
  const { ask, read, onDisk } = await served()
  const { text, tag } = await read()
  const before = onDisk()
  const wrong = text.replace('"choose"', '"none"')
  const { status, body } = await ask('PUT /config', { text: wrong }, { 'if-match': tag })
  expect([status, body['message']]).toEqual([400, expect.stringContaining('HG_CONFIG_PLUGIN')])
  expect(onDisk()).toBe(before)
})

test('where the config may not be written, it is shown and checked, and no other reference is resolved', async () => {
  const { ask, read } = await served({ writable: false })
  const { text, tag } = await read()
  expect((await ask('PUT /config', { text }, { 'if-match': tag })).status).toBe(403)
  expect((await ask('POST /config/check', { text })).status).toBe(200)
  const curious = text.replace('"choose"', '"${env:HOME}"')
  for (const path of ['check', 'diff']) {
    const { status, body } = await ask(`POST /config/${path}`, { text: curious, pipeline: 'orders' })
    expect([status, body['message']]).toEqual([403, expect.stringContaining('${env:HOME}')])
  }
})

test('of a file with a syntax error the running text is shown, because its secrets cannot be found', async () => {
  const { it, ask, onDisk } = await served()
  it.write(onDisk().replace('{', '{ oops'))
  const { body } = await ask('GET /config')
  expect(body).toMatchObject({ shown: 'running' })
  expect(body['text']).not.toContain('oops')
  expect(JSON.stringify(body)).not.toContain(SECRET)
})

test.each([
  ['check', {}, 'no "text"'],
  ['check', { text: '"[hidden 0123456789ab]"' }, 'stands for no secret'],
  ['diff', { text: '{}' }, 'no "pipeline"'],
  ['diff', { text: '{}', pipeline: 'orders', limit: 0 }, 'from 1 to'],
])('POST /config/%s with %j is a mistake', async (path, body, message) => {
  const { ask } = await served()
  const response = await ask(`POST /config/${path}`, body)
  expect([response.status, response.body['message']]).toEqual([400, expect.stringContaining(message)])
})
