import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import {
  expectAccessible,
  expectAccessibleAtAllSizes,
  openBrowser,
  openPage,
} from '../helpers/processes/chromium.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

/** Events that are no orders are dead letters. */
const CONFIG = {
  pipelines: {
    mixed: {
      source: {
        plugin: 'http-webhook',
        config: {
          path: '/webhook/mixed',
          eventId: 'digest',
          verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] },
          body: { formats: ['json', 'form', 'xml', 'raw'] },
        },
      },
      transforms: [
        {
          plugin: 'route',
          config: {
            rules: [
              {
                name: 'orders',
                when: { jsonata: "kind = 'order'" },
                to: { topic: 'cxone.data.actions.high', partition: 0 },
              },
            ],
            otherwise: 'dead-letter',
          },
        },
      ],
      sink: { plugin: 'kafka', config: { brokers: '${env:KAFKA_BROKERS}' } },
      deadLetter: { topic: 'cxone.data.actions.dlq' },
    },
  },
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0xff])
const MARKUP = '<img src="x" onerror="document.title=1"/>'

/** The file that the console saves of the bytes that it shows. */
async function downloaded(page: Page, detail: Locator): Promise<Buffer> {
  const download = page.waitForEvent('download')
  await detail.getByRole('button', { name: 'Download the bytes' }).click()
  return readFileSync(await (await download).path())
}

describe.skipIf(missingProgram('chromium', '--version') !== undefined)(
  'bodies that are not JSON in a browser',
  () => {
    const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

    async function opened(view: string) {
      const config = join(
        temporaryDirectory({ 'plugins.config.json': JSON.stringify(CONFIG) }),
        'plugins.config.json',
      )
      const { headgate } = await startSandboxed(builtFile('cli.js'), config)
      const post = async (type: string, body: string | Buffer) => {
        const response = await fetch(new URL('/webhook/mixed', headgate.intake), {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type },
          body,
        })
        return response.status
      }
      const { page, faults } = await openPage(browser(), headgate.admin)
      const open = () => page.goto(`${headgate.admin}/console#/${view}`)
      return { page, faults, post, open }
    }

    test('an event is shown decoded and as it came, and can be tried from there', async () => {
      const { page, faults, post, open } = await opened('events')
      await open()
      await page.getByText('appear here').waitFor()
      const rows = page.locator('tbody tr')
      await expect
        .poll(async () => {
          await post('application/x-www-form-urlencoded', 'kind=order&note=a+b')
          return rows.count()
        })
        .toBeGreaterThan(0)
      const detail = page.getByRole('complementary', { name: 'The chosen event' })
      await rows.first().getByRole('button').click()
      await detail.getByRole('region', { name: 'As it was received' }).waitFor()
      expect(await detail.getByLabel('Body', { exact: true }).textContent()).toContain('"note": "a b"')
      expect(await detail.getByLabel('Body as it was received').textContent()).toBe('kind=order&note=a+b')
      await expectAccessible(page)

      await detail.getByRole('button', { name: 'Try it' }).click()
      expect(await page.getByLabel('Body of the request').inputValue()).toBe('kind=order&note=a+b')
      expect(await page.getByLabel('Headers, one a line').inputValue()).toBe(
        'Content-Type: application/x-www-form-urlencoded',
      )
      await page.getByRole('button', { name: 'Try it' }).click()
      await page
        .getByText('It would be delivered to cxone.data.actions.high, partition 0 by the rule orders.')
        .waitFor()
      expect(faults).toEqual([])
    })

    test('bytes can be tried: of an event, of a dead letter, typed, and of a file', async () => {
      const { page, faults, post, open } = await opened('dead-letters')
      const tryIt = page.getByRole('button', { name: 'Try it' })
      const body = page.getByLabel('Body of the request')
      const form = page.getByLabel('The body is typed as')
      const conclusion = page.getByText(/^It would be dead-lettered to cxone.data.actions.dlq, /)
      expect(await post('image/png', PNG)).toBe(202)
      await open()
      const letter = page.locator('.letters tbody tr')
      await expect.poll(() => letter.count(), { timeout: 30_000 }).toBe(1)
      await letter.getByRole('button').click()
      await page.getByRole('complementary').getByRole('button', { name: 'Try it' }).click()
      expect(await body.inputValue()).toBe('89 50 4e 47 0d 0a 1a 0a 00 ff')
      expect(await form.inputValue()).toBe('hex')
      // The type by which a body is decoded, if it is looked into at all.
      expect(await page.getByLabel('Headers, one a line').inputValue()).toBe(
        'Content-Type: application/octet-stream',
      )
      await tryIt.click()
      await conclusion.waitFor()
      expect(await page.getByLabel('Value of the record').textContent()).toContain('89 50 4e 47 0d 0a 1a 0a')
      await page.getByText('A scenario has its event as text').waitFor()
      await expectAccessibleAtAllSizes(page)
      await page.setViewportSize({ width: 1280, height: 900 })

      await form.selectOption('base64')
      expect(await body.inputValue()).toBe(PNG.toString('base64'))
      await form.selectOption('text')
      await page.getByRole('alert').filter({ hasText: 'These bytes cannot be typed as a text' }).waitFor()
      await body.fill('iVBORw=')
      await tryIt.click()
      await page.getByRole('alert').filter({ hasText: 'The body should be base64' }).waitFor()

      await page.locator('input[type=file]').setInputFiles({
        name: 'order.xml',
        mimeType: 'application/xml',
        buffer: Buffer.from('<?xml version="1.0"?>\r\n<kind>order</kind>\r\n'),
      })
      await expect.poll(() => form.inputValue()).toBe('crlf')
      expect(await body.inputValue()).toBe('<?xml version="1.0"?>\n<kind>order</kind>\n')
      await page.getByLabel('Headers, one a line').fill('Content-Type: application/xml')
      await tryIt.click()
      await page.getByText('by the rule orders.').waitFor()
      await page.locator('input[type=file]').setInputFiles({
        name: 'large.bin',
        mimeType: 'application/octet-stream',
        buffer: Buffer.alloc(800 * 1024),
      })
      await page.getByRole('alert').filter({ hasText: 'large.bin has 819K bytes' }).waitFor()
      expect(faults).toEqual([])
    })

    test('a refused request that is no text is shown as bytes, and can be saved', async () => {
      const { page, faults, post, open } = await opened('events/refused')
      const latin1 = Buffer.from('{"name": "\u00e9"}', 'latin1')
      expect(await post('application/json', latin1)).toBe(400)
      await open()
      await page.getByRole('button', { name: 'HG_INTAKE_NOT_UTF8' }).click()
      const detail = page.getByRole('complementary', { name: 'The chosen request' })
      await detail.getByText('It is no text, but 13 bytes.').waitFor()
      expect(await detail.getByLabel('Body as it was received').textContent()).toContain('22 e9 22')
      expect(await downloaded(page, detail)).toEqual(latin1)
      await expectAccessible(page)
      expect(faults).toEqual([])
    })

    test('a dead letter is shown as text or as bytes, with its type, and edited as text', async () => {
      const { page, faults, post, open } = await opened('dead-letters')
      const xml = `<event><kind>return</kind>${MARKUP}</event>`
      expect(await post('application/xml', xml)).toBe(202)
      expect(await post('image/png', PNG)).toBe(202)
      await open()
      const rows = page.locator('.letters tbody tr')
      await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(2)
      const detail = page.getByRole('complementary', { name: 'The chosen dead letter' })
      const received = detail.getByLabel('Body as it was received')

      await rows.first().getByRole('button').click()
      await detail.getByText('It is no text, but 10 bytes.').waitFor()
      expect(await received.textContent()).toContain('0000  89 50 4e 47 0d 0a 1a 0a  .PNG....')
      expect(await downloaded(page, detail)).toEqual(PNG)
      expect(await detail.getByLabel('Body', { exact: true }).count()).toBe(0)
      expect(await detail.getByRole('button', { name: 'Edit' }).isDisabled()).toBe(true)
      await expectAccessible(page)

      await rows.last().getByRole('button').click()
      await expect.poll(() => received.textContent()).toBe(xml)
      const region = detail.getByRole('region', { name: 'As it was received' })
      expect(await region.textContent()).toContain('application/xml')
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme: width === 390 ? 'dark' : 'light' })
        await expectAccessible(page)
      }
      await page.setViewportSize({ width: 1280, height: 900 })
      await detail.getByRole('button', { name: 'Edit' }).click()
      const body = detail.getByRole('textbox')
      expect(await body.inputValue()).toBe(xml)
      await body.fill('<kind>order</kind>')
      await detail.getByRole('button', { name: 'Replay edited' }).click()
      await page.getByText('1 dead letter would be sent').waitFor()
      expect(await page.title()).toBe('Headgate')
      expect(faults).toEqual([])
    })
  },
)
