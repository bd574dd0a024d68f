import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import { expectAccessibleAtAllSizes, openBrowser, openPage } from '../helpers/processes/chromium.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

const DLQ = 'cxone.data.actions.dlq'
/** Bad orders, returns and everything else become dead letters. */
const CONFIG = {
  pipelines: {
    orders: {
      source: {
        plugin: 'http-webhook',
        config: {
          path: '/in',
          eventId: '/id',
          verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] },
        },
      },
      transforms: [
        { plugin: 'json-schema', onError: 'dead-letter', config: { schema: './order.schema.json' } },
        {
          plugin: 'route',
          config: {
            rules: [{ name: 'returns', when: { jsonata: "kind = 'return'" }, to: 'dead-letter' }],
            otherwise: 'dead-letter',
          },
        },
      ],
      sink: { plugin: 'kafka', config: { brokers: '${env:KAFKA_BROKERS}' } },
      deadLetter: { topic: DLQ },
    },
  },
}
const SCHEMA = { type: 'object', properties: { kind: { type: 'string' } } }

describe.skipIf(missingProgram('chromium', '--version') !== undefined)(
  'the filter of the dead letters in a browser',
  () => {
    const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

    async function started() {
      const folder = temporaryDirectory({
        'plugins.config.json': JSON.stringify(CONFIG),
        'order.schema.json': JSON.stringify(SCHEMA),
      })
      const { headgate } = await startSandboxed(builtFile('cli.js'), join(folder, 'plugins.config.json'))
      const post = async (id: string, kind: unknown) => {
        const response = await fetch(new URL('/in', headgate.intake), {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify({ id, kind }),
        })
        expect(response.status).toBe(202)
      }
      const { page, faults } = await openPage(browser(), headgate.admin)
      const rows = page.locator('.letters tbody tr')
      const shown = (count: number) => expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(count)
      return { headgate, post, page, faults, shown }
    }

    test('until a read with the filter succeeds, nothing is settled in bulk, and no rows of another filter stay', async () => {
      const { headgate, post, page, shown } = await started()
      for (const id of ['return-1', 'return-2']) await post(id, 'return')
      await post('other-1', 'other')
      await page.goto(`${headgate.admin}/console#/dead-letters`)
      await shown(3)
      const replay = page.getByRole('button', { name: 'Replay all' })
      const discard = page.getByRole('button', { name: 'Discard all' })
      expect(await replay.isEnabled()).toBe(true)

      const reads = '**/dead-letters?*'
      let respond = () => {}
      const response = new Promise<void>((resolve) => {
        respond = resolve
      })
      await page.route(reads, async (route) => {
        await response
        await route.fulfill({ status: 503, json: { message: 'Kafka does not respond.' } })
      })
      await page.getByLabel('Rule').selectOption('returns')
      await page.getByText('reading the topic').waitFor()
      for (const button of [replay, discard]) expect(await button.isDisabled()).toBe(true)
      // A text that is being typed meanwhile stays.
      const text = page.getByLabel('Text')
      await text.pressSequentially('half a te')
      respond()
      await page.getByRole('alert').filter({ hasText: 'Kafka does not respond.' }).waitFor()
      await shown(0)
      expect(await text.inputValue()).toBe('half a te')
      await text.fill('')
      for (const button of [replay, discard]) expect(await button.isDisabled()).toBe(true)

      await page.unroute(reads)
      await page.getByRole('button', { name: 'Read again' }).click()
      await shown(2)
      await page.getByRole('button', { name: 'Replay all 2' }).waitFor()
      expect(await replay.isEnabled()).toBe(true)
      expect(await page.getByRole('alert').count()).toBe(0)
    })

    test('they are selected by stage, rule, id, text and time, and settled in bulk', async () => {
      const { headgate, post, page, faults, shown } = await started()
      for (const id of ['bad-1', 'bad-2']) await post(id, 1)
      for (const id of ['return-1', 'return-2', 'return-10']) await post(id, 'return')
      await post('other-1', 'other')
      await page.goto(`${headgate.admin}/console`)

      // From the reasons in the overview.
      await page.getByRole('link', { name: 'HG_SCHEMA_VIOLATION' }).click()
      await shown(2)
      expect(page.url()).toContain(
        '#/dead-letters/orders?code=HG_SCHEMA_VIOLATION&stage=transform.0.json-schema',
      )
      await page.getByRole('button', { name: 'Clear the filter' }).click()
      await shown(6)

      await page.getByLabel('Stage').selectOption({ label: 'transform.1.route (4)' })
      await shown(4)
      await page.getByLabel('Rule').selectOption({ label: 'returns (3)' })
      await shown(3)
      await page.getByLabel('Time').selectOption('1h')
      await shown(3)
      await expectAccessibleAtAllSizes(page)
      await page.setViewportSize({ width: 1280, height: 900 })

      await page.getByLabel('Time').selectOption('own')
      await page.getByLabel('From', { exact: true }).fill('2030-01-01T00:00')
      await page.getByLabel('To', { exact: true }).fill('2029-01-01T00:00')
      await page.getByRole('alert').filter({ hasText: '"From" is later than "To"' }).waitFor()
      await page.getByLabel('To', { exact: true }).fill('2031-01-01T00:00')
      await page.getByText('No dead letter matches').waitFor()
      await expectAccessibleAtAllSizes(page)
      await page.setViewportSize({ width: 1280, height: 900 })
      await page.getByLabel('Time').selectOption('')
      await shown(3)
      await page.goBack()
      await page.getByText('No dead letter matches').waitFor()
      await page.goForward()
      await shown(3)

      const id = page.getByLabel('Event id')
      await id.fill('return-1')
      await id.press('Enter')
      await shown(1)
      await id.fill('')
      await id.press('Enter')
      const text = page.getByLabel('Text')
      await text.fill('RETURN-1')
      await text.press('Enter')
      await shown(2)

      await page.getByRole('button', { name: 'Choose all' }).click()
      await page.getByRole('button', { name: 'Replay the 2 chosen' }).waitFor()
      await page.getByRole('button', { name: 'Choose none' }).click()
      // One that the operator has not seen stays.
      await post('return-11', 'return')
      await page.getByRole('button', { name: 'Discard all 2' }).click()
      await page.getByText('2 dead letters would be discarded').waitFor()
      await page.getByLabel('Why they are not needed').fill('returns come by mail')
      await page.getByRole('button', { name: 'Discard them' }).click()
      await page.getByText('2 dead letters discarded').waitFor()
      await shown(1)
      await page.getByRole('button', { name: 'Clear the filter' }).click()
      await shown(5)
      await page.getByLabel('Status').selectOption('settled')
      await shown(2)
      expect(faults).toEqual([])
    })
  },
)
