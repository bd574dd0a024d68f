import { expect, test } from 'vitest'
import type { Connect } from '../../src/admin/connect/connect.js'
import { connectRoutes } from '../../src/admin/connect/index.js'
import { consoleRoutes } from '../../src/admin/console.js'
import { temporaryDirectory } from '../helpers/context.js'
import { idleAdmin } from './idle-admin.js'

const BUNDLE = {
  'index.html': '<!doctype html><title>Headgate</title>',
  'assets/index-1a2b.js': 'export {}',
  'assets/index-3c4d.css': 'body {}',
}

async function served(files: { readonly [path: string]: string } = BUNDLE) {
  const connect = connectRoutes({ version: '1.2.3' } as Connect).filter(({ path }) => path === '/')
  const admin = await idleAdmin([...connect, ...consoleRoutes(temporaryDirectory(files))])
  return (path: string, headers: { readonly [name: string]: string } = {}) =>
    fetch(admin.url + path, { headers, redirect: 'manual' })
}

test('a browser that asks for / is sent to the console, and a client gets the version', async () => {
  const get = await served()
  const page = await get('/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
  expect([page.status, page.headers.get('location')]).toEqual([303, '/console'])
  expect(await (await get('/')).json()).toMatchObject({ version: '1.2.3' })
})

test('the page is checked again at each visit, and runs and loads only its own files', async () => {
  const get = await served()
  const page = await get('/console')
  expect([page.status, await page.text()]).toEqual([200, BUNDLE['index.html']])
  expect(page.headers.get('cache-control')).toBe('no-cache')
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  const tag = page.headers.get('etag') ?? ''
  const again = await get('/console', { 'if-none-match': tag })
  expect([again.status, await again.text()]).toEqual([304, ''])
  expect((await get('/console', { 'if-none-match': '"other"' })).status).toBe(200)
})

test('files are kept by browsers, because their names have their hash', async () => {
  const get = await served()
  const script = await get('/console/assets/index-1a2b.js')
  expect([script.status, await script.text()]).toEqual([200, 'export {}'])
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  const style = await get('/console/assets/index-3c4d.css')
  expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8')
})

test.each([
  '/console/assets/none.js',
  '/console/assets/..%2findex.html',
  '/console/index.html',
  '/console/assets',
])('%s is not there', async (path) => {
  const get = await served()
  expect((await get(path)).status).toBe(404)
})

test('without a build, the response says how to make one', async () => {
  const get = await served({})
  const page = await get('/console')
  expect([page.status, await page.json()]).toEqual([
    404,
    { error_code: 404, message: 'The console is not built: run "npm run build".' },
  ])
})
