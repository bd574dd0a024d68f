import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { temporaryDirectory } from '../helpers/context.js'
import { freePorts } from '../helpers/free-ports.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import {
  expectAccessible,
  expectAccessibleAtAllSizes,
  openBrowser,
  openPage,
  takePicture,
} from '../helpers/processes/chromium.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

const noChromium = missingProgram('chromium', '--version')
const ADMIN_TOKEN = 'the-token-of-the-operator'
const PIPELINE = 'cxone-data-actions'

test('the console is less than 300 KB for a browser', () => {
  const folder = builtFile('console/assets')
  const bytes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name))).length)
  expect(bytes.length).toBeGreaterThan(1)
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(300_000)
})

const start = (env: { readonly [name: string]: string } = {}) =>
  startSandboxed(builtFile('cli.js'), 'plugins.config.json', env)

let ids = 0
/** Posts an event to the shipped config. */
async function post(intake: string, payload: unknown, token = TOKEN): Promise<number> {
  const event = {
    dataActionId: `event-${++ids}`,
    eventType: 'DataActionExecuted',
    timestamp: '2025-06-01T08:00:00Z',
    payload,
  }
  const response = await fetch(new URL(WEBHOOK_PATH, intake), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
  })
  return response.status
}

/** The text of the cells of a row. */
const cells = (page: Page, row: string) =>
  page.getByRole('row').filter({ hasText: row }).first().locator('th, td').allInnerTexts()

describe.skipIf(noChromium !== undefined)('the console in a browser', () => {
  const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

  test('the overview shows events as they pass, in light and dark, on a desk and on a phone', async () => {
    const { headgate } = await start()
    const { page, faults } = await openPage(browser(), headgate.admin)
    await page.goto(headgate.admin)
    expect(page.url()).toBe(`${headgate.admin}/console`)
    await page.getByRole('heading', { name: PIPELINE }).waitFor()

    expect(await post(headgate.intake, { priority: 'high' })).toBe(200)
    expect(await post(headgate.intake, { priority: 'high' })).toBe(200)
    expect(await post(headgate.intake, { region: 'eu-west' })).toBe(200)
    expect(await post(headgate.intake, {}, 'another-token')).toBe(401)
    expect(await post(headgate.intake, 'no object')).toBe(422)

    await expect.poll(async () => (await cells(page, 'high-priority')).at(-1)).toBe('2')
    await expect.poll(async () => (await cells(page, 'eu-west')).at(-1)).toBe('1')
    await expect.poll(async () => (await cells(page, 'Status 401')).at(-1)).toBe('1')
    await page.getByText('3 events accepted in 15 min').waitFor()
    const picture = page.getByRole('region', { name: `The pipeline ${PIPELINE}` })
    for (const text of ['http-webhook', 'json-schema', 'cxone.data.actions.eu', 'cxone-ack', '1 rejected'])
      await picture.getByText(text).first().waitFor()
    await takePicture(page, 'console-overview')

    await expectAccessibleAtAllSizes(page)
    expect(faults).toEqual([])
  })

  test('events appear as they end, as text whatever is in them, and can be filtered and paused', async () => {
    const { headgate } = await start()
    const { page, faults } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console#/events`)
    await page.getByText('appear here').waitFor()
    const rows = page.locator('tbody tr')
    // The list is live once the tap is open.
    await expect
      .poll(async () => {
        await post(headgate.intake, { priority: 'high' })
        return rows.count()
      })
      .toBeGreaterThan(0)
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    await post(headgate.intake, { note: markup, big: '9007199254740993' })
    await post(headgate.intake, {}, 'another-token')

    const delivered = rows.filter({ hasText: 'otherwise' }).first()
    await delivered.getByRole('button').click()
    const detail = page.getByRole('complementary', { name: 'The chosen event' })
    expect(await detail.getByText('"note"').textContent()).toContain(JSON.stringify(markup))
    for (const text of ['Where the time went', 'sink.kafka', 'acknowledged', 'Record: key and'])
      await detail.getByText(text).first().waitFor()
    await detail.getByRole('button', { name: 'Ask the stages' }).click()
    await detail.getByText('not tried').or(detail.getByText('did not match')).first().waitFor()
    await takePicture(page, 'console-events')
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await detail.waitFor({ state: 'detached' })
    expect(await page.title()).toBe('Headgate')

    await page.getByRole('button', { name: 'rejected' }).click()
    await expect
      .poll(async () => {
        await post(headgate.intake, {})
        await post(headgate.intake, {}, 'another-token')
        const texts = await rows.allInnerTexts()
        return texts.length > 1 && texts.every((row) => row.includes('HG_INTAKE_UNAUTHENTICATED'))
      })
      .toBe(true)

    const code = page.getByLabel('Code', { exact: true })
    await code.fill('hg_intake_unauthorised')
    await code.press('Enter')
    await page.getByText('There is no code "HG_INTAKE_UNAUTHORISED".').waitFor()
    await code.fill('hg_intake_unauthenticated')
    await code.press('Enter')
    await expect
      .poll(async () => {
        await post(headgate.intake, {}, 'another-token')
        return rows.count()
      })
      .toBeGreaterThan(1)

    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('paused', { exact: true }).waitFor()
    const count = await rows.count()
    await post(headgate.intake, {}, 'another-token')
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('heading', { name: PIPELINE }).waitFor()
    await page.getByRole('link', { name: 'Events' }).click()
    await expect.poll(() => rows.count()).toBe(count)
    // The browser reports the status 400 of the code that there is not.
    expect(faults.filter((fault) => !fault.includes('400'))).toEqual([])
  })

  test('refused requests are there with their reason and body, also those from before', async () => {
    const { headgate } = await start()
    const markup = '<img src=x onerror="document.title=1">'
    await post(headgate.intake, {}, 'another-token')
    await fetch(new URL(`/${encodeURIComponent(markup)}`, headgate.intake), {
      method: 'POST',
      headers: { 'user-agent': markup, 'x-forwarded-for': markup },
      body: markup,
    })
    const { page, faults } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console#/events`)
    await page.getByRole('link', { name: 'Refused requests' }).click()
    const rows = page.locator('tbody tr')
    await expect.poll(() => rows.count()).toBe(2)
    await post(headgate.intake, markup)
    await expect.poll(() => rows.count()).toBe(3)

    const detail = page.getByRole('complementary', { name: 'The chosen request' })
    await rows.filter({ hasText: 'HG_SCHEMA_VIOLATION' }).getByRole('button').click()
    expect(await detail.locator('mark').textContent()).toContain(JSON.stringify(markup))
    await takePicture(page, 'console-refused')
    await rows.filter({ hasText: 'HG_INTAKE_UNAUTHENTICATED' }).getByRole('button').click()
    await detail.getByText('Compare the secret').waitFor()
    await rows.filter({ hasText: 'HG_INTAKE_NOT_FOUND' }).getByRole('button').click()
    await detail.getByText('its body was not read').waitFor()
    await page.getByLabel('Pipeline').selectOption(PIPELINE)
    await expect.poll(() => rows.count()).toBe(2)
    await page.getByLabel('Code').selectOption('HG_SCHEMA_VIOLATION')
    await page.getByLabel('Text in the list').fill('no such text')
    await page.getByRole('button', { name: 'All requests' }).click()
    await expect.poll(() => rows.count()).toBe(3)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await expectAccessible(page)
    }
    expect(await page.title()).toBe('Headgate')
    expect(faults).toEqual([])
  })

  test('dead letters are looked through, replayed after a dry run, and discarded with a note', async () => {
    const config = readFileSync('plugins.config.json', 'utf8')
      .replace('"plugin": "json-schema",', '"plugin": "json-schema", "onError": "dead-letter",')
      .replaceAll('./schemas/', `${resolve('schemas')}/`)
    const file = join(temporaryDirectory({ 'plugins.config.json': config }), 'plugins.config.json')
    const { headgate } = await startSandboxed(builtFile('cli.js'), file)
    const markup = '<img src=x onerror="document.title=1">'
    for (let n = 0; n < 12; n++) await post(headgate.intake, { priority: n % 3 === 0 ? 'high' : 'low', n })
    for (const payload of [markup, 'second', 'third']) expect(await post(headgate.intake, payload)).toBe(202)
    const { page, faults } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console#/dead-letters`)
    const rows = page.locator('.letters tbody tr')
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(3)

    const detail = page.getByRole('complementary', { name: 'The chosen dead letter' })
    await rows.last().getByRole('button').click()
    expect(await detail.locator('mark').textContent()).toContain(JSON.stringify(markup))
    await takePicture(page, 'console-dead-letters')
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 900 })
        await expectAccessible(page)
      }
    await page.setViewportSize({ width: 1280, height: 900 })
    await detail.getByRole('button', { name: 'Edit' }).click()
    const body = detail.getByRole('textbox')
    await body.fill((await body.inputValue()).replace(JSON.stringify(markup), '{"priority":"high"}'))
    await detail.getByRole('button', { name: 'Replay edited' }).click()
    await page.getByText('1 dead letter would be sent').waitFor()
    await page.getByRole('button', { name: 'Send them' }).click()
    await page.getByText('1 dead letter sent').waitFor()
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(2)

    await page.getByRole('button', { name: 'Replay all 2' }).click()
    await page.getByText('0 dead letters would be sent').waitFor()
    expect(await page.getByRole('button', { name: 'Send them' }).isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await rows.first().getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Discard the 1 chosen' }).click()
    await page.getByLabel('Why they are not needed').fill('a test event')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Discard them' }).click()
    await page.getByText('1 dead letter discarded').waitFor()
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(1)

    await page.getByRole('link', { name: 'Acknowledgements' }).click()
    await page.getByText('Token', { exact: true }).waitFor()
    await expectAccessible(page)
    expect(await page.title()).toBe('Headgate')
    expect(faults).toEqual([])
  })

  test('with a token file it asks for the token, and keeps it for the tab', async () => {
    const tokenFile = join(temporaryDirectory({ tokens: `${ADMIN_TOKEN}\n` }), 'tokens')
    const { headgate } = await start({ HEADGATE_ADMIN_TOKEN_FILE: tokenFile })
    const { page } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console`)
    const field = page.getByLabel('Admin token')
    await field.waitFor()
    await expectAccessible(page)

    await field.fill('not-the-token-of-it')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'not one of the tokens' }).waitFor()
    await page.getByLabel('Admin token').fill(ADMIN_TOKEN)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: PIPELINE }).waitFor()

    await page.reload()
    await page.getByRole('heading', { name: PIPELINE }).waitFor()
    expect(await page.evaluate('[document.cookie, localStorage.length]')).toEqual(['', 0])
    await page.getByRole('button', { name: 'Forget the token' }).click()
    await page.getByLabel('Admin token').waitFor()
  })

  test('a listener without tokens says why it shows nothing', async () => {
    const { headgate } = await start({ HEADGATE_ADMIN_TOKEN_FILE: 'none' })
    const { page } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console`)
    await page.getByText('set HEADGATE_ADMIN_TOKEN_FILE').waitFor()
  })

  test('it tells when Headgate is gone, and goes on when it is back', async () => {
    const [port] = await freePorts(1)
    const env = {
      HEADGATE_ADMIN_PORT: String(port),
      KAFKA_BROKERS: '127.0.0.1:1',
      CXONE_BASE_URL: 'http://127.0.0.1:1',
      CXONE_CLIENT_ID: 'id',
      CXONE_CLIENT_SECRET: 'secret',
      WEBHOOK_TOKEN: TOKEN,
    }
    const run = async () => {
      const headgate = await startHeadgate({ config: 'plugins.config.json', until: 'listening', env })
      onTestFinished(async () => void (await headgate.stop()))
      return headgate
    }
    const first = await run()
    const { page } = await openPage(browser(), first.admin)
    await page.goto(`${first.admin}/console`)
    // Kafka is not there, so the reasons are.
    await page.getByRole('alert').filter({ hasText: 'takes no events now' }).waitFor()
    await first.stop()
    const lost = page.getByText('The connection to Headgate is lost')
    await lost.waitFor()
    expect(await page.getByRole('heading', { name: PIPELINE }).isVisible()).toBe(true)
    await run()
    await lost.waitFor({ state: 'detached' })
  })

  test('a hidden tab asks for nothing', async () => {
    const { headgate } = await start()
    const { page } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console`)
    await page.getByRole('heading', { name: PIPELINE }).waitFor()
    const show = (state: string) =>
      page.evaluate(`
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' })
        document.dispatchEvent(new Event('visibilitychange'))`)
    const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/traffic'))
    await show('hidden')
    await ended
    const asked = page.waitForRequest((request) => request.url().endsWith('/traffic'))
    await show('visible')
    await asked
  })
})

describe.skipIf(noChromium !== undefined)('a page of a stranger in a browser', () => {
  const browser = sharedByTests<Browser>((atEnd) =>
    openBrowser(atEnd, ['--host-resolver-rules=MAP evil.example 127.0.0.1']),
  )

  /** The address of another site. */
  async function stranger(): Promise<string> {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>stranger</title>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('can neither change nor read anything, nor frame the console', async () => {
    const { headgate } = await start()
    const page = await browser().newPage()
    await page.goto(await stranger())
    const statuses: number[] = []
    page.on('response', (response) => {
      if (response.url().startsWith(headgate.admin)) statuses.push(response.status())
    })
    const outcome = await page.evaluate(async (admin) => {
      const attempt = async (path: string, init: RequestInit) => {
        try {
          return (await fetch(admin + path, init)).type
        } catch {
          return 'failed'
        }
      }
      return [
        await attempt('/ledger', {}),
        await attempt('/ledger/retry', { method: 'POST', mode: 'no-cors' }),
        await attempt('/config/reload', { method: 'POST', mode: 'no-cors', credentials: 'include' }),
        await attempt('/tap', { mode: 'no-cors' }),
        await attempt('/refused', { mode: 'no-cors' }),
        await attempt('/pipelines/cxone-data-actions/dead-letters/replay', {
          method: 'POST',
          mode: 'no-cors',
          body: '{"dryRun": false}',
        }),
      ]
    }, headgate.admin)
    expect(outcome).toEqual(['failed', ...Array(5).fill('opaque')])
    // The first has none: the browser keeps it from the page.
    await expect.poll(() => statuses).toEqual(Array(5).fill(403))

    await page.evaluate(`
      const frame = document.createElement('iframe')
      frame.src = '${headgate.admin}/console'
      document.body.append(frame)`)
    await expect.poll(() => page.frames().length).toBe(2)
    await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/')
  })

  test('reaches nothing by a name that its owner points here', async () => {
    const { headgate } = await start()
    const page = await browser().newPage()
    const { port } = new URL(headgate.admin)
    const response = await page.goto(`http://evil.example:${port}/console`)
    expect(response?.status()).toBe(403)
    const status = await page.evaluate(async () => (await fetch('/ledger/retry', { method: 'POST' })).status)
    expect(status).toBe(403)
  })
})
