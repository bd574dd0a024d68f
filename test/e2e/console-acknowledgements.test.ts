import type { Browser } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import type { Fault } from '../../src/sandbox/cxone.js'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'
import {
  expectAccessible,
  expectAccessibleAtAllSizes,
  openBrowser,
  openPage,
  takePicture,
} from '../helpers/processes/chromium.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

/** CXone refuses so many events for good, and is too busy from then on. */
function* refusingThenBusy(refused: number): Iterable<Fault> {
  for (let n = 0; n < refused; n++) yield { status: 404, body: '{"error":"unknown_action"}' }
  for (;;) yield { status: 429, headers: { 'retry-after': '90' } }
}

describe.skipIf(missingProgram('chromium', '--version') !== undefined)(
  'the acknowledgements in a browser',
  () => {
    const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

    async function opened(config = 'plugins.config.json') {
      const { headgate, cxone } = await startSandboxed(builtFile('cli.js'), config)
      const post = async (id: string) => {
        const event = {
          ...{ dataActionId: id, eventType: 'DataActionExecuted', timestamp: '2025-06-01T08:00:00Z' },
          payload: { region: 'eu-west' },
        }
        const response = await fetch(new URL(WEBHOOK_PATH, headgate.intake), {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify(event),
        })
        expect(response.status).toBe(200)
      }
      const { page, faults } = await openPage(browser(), headgate.admin)
      const open = () => page.goto(`${headgate.admin}/console#/acknowledgements`)
      return { headgate, cxone, post, page, faults, open }
    }

    test('pending and failed ones are there, with the pause that the sender asked for', async () => {
      const { cxone, post, page, faults, open } = await opened()
      cxone.script('acknowledge', refusingThenBusy(2))
      await open()
      await page.getByText('Nothing is pending').waitFor()
      await page.getByRole('button', { name: 'Nothing to retry' }).waitFor()
      for (const id of ['da-1001', 'da-1002']) await post(id)
      const failed = page
        .getByRole('region', { name: 'Failed acknowledgements, oldest first' })
        .locator('tbody tr')
      await expect.poll(() => failed.count()).toBe(2)
      expect(await failed.first().textContent()).toMatch(/da-100[12][\s\S]*HG_ACK_GAVE_UP[\s\S]*404/)
      for (const id of ['da-1003', 'da-1004', 'da-1005']) await post(id)
      await page.getByRole('heading', { name: '3 pending, by age' }).waitFor()
      await page.getByText('throttled by the sender').waitFor()
      await page.getByText('the sender asked for').waitFor()
      await page.getByText('Token', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Retry 2 failed ones' }).waitFor()
      await takePicture(page, 'console-acknowledgements')
      await expectAccessibleAtAllSizes(page)
      expect(faults).toEqual([])
    })

    test('failed ones are pending again after a retry, and are acknowledged', async () => {
      const { cxone, post, page, faults, open } = await opened()
      cxone.script('acknowledge', [{ status: 404 }])
      await post('da-1001')
      await open()
      await page.getByRole('button', { name: 'Retry 1 failed one' }).click()
      await page.getByText('1 acknowledgement is pending again.').waitFor()
      await page.getByRole('button', { name: 'Nothing to retry' }).waitFor()
      await page.getByText('Nothing is pending').waitFor()
      await expect.poll(() => cxone.acknowledged.get('da-1001')).toBe(1)
      await expectAccessible(page)
      expect(faults).toEqual([])
    })

    test('a pipeline that is stopped acknowledges nothing, and the view says so', async () => {
      const { headgate, page, faults, open } = await opened()
      await fetch(new URL('/connectors/cxone-data-actions/stop', headgate.admin), { method: 'PUT' })
      await open()
      await page.getByText('stopped with its pipeline').waitFor()
      await expectAccessible(page)
      expect(faults).toEqual([])
    })

    test('without a post-commit stage there is nothing to acknowledge', async () => {
      const config = {
        pipelines: {
          orders: webhookPipeline({ otherwise: { topic: 'cxone.data.actions.eu', partition: 0 } }),
        },
      }
      const folder = temporaryDirectory({ 'plugins.config.json': JSON.stringify(config) })
      const { page, faults, open } = await opened(`${folder}/plugins.config.json`)
      await open()
      await page.getByText('No pipeline has a post-commit stage').waitFor()
      await expectAccessible(page)
      expect(faults).toEqual([])
    })

    test('a failure is said once, with room under the button', async () => {
      const { headgate, page, open } = await opened()
      await page.route('**/acknowledgements', (route) =>
        route.fulfill({ status: 503, json: { message: 'Kafka does not respond.' } }),
      )
      await open()
      const alerts = page.getByRole('alert')
      await alerts.filter({ hasText: 'Kafka does not respond.' }).waitFor()
      const button = await page.getByRole('button', { name: 'Nothing to retry' }).boundingBox()
      const alert = await alerts.boundingBox()
      expect((alert?.y ?? 0) - (button?.y ?? 0) - (button?.height ?? 0)).toBeGreaterThanOrEqual(8)

      await page.unroute('**/acknowledgements')
      await headgate.stop()
      await alerts.filter({ hasText: 'The connection to Headgate is lost' }).waitFor()
      // The view has seen the first failure when it asks again.
      for (let failures = 0; failures < 2; failures++)
        await page.waitForEvent('requestfailed', (request) => request.url().endsWith('/acknowledgements'))
      expect(await alerts.allInnerTexts()).toEqual([expect.stringContaining('Headgate does not respond.')])
    })

    test('it keeps its figures when Headgate is gone, and says that they are old', async () => {
      const { headgate, page, open } = await opened()
      await open()
      await page.getByText('Nothing is pending').waitFor()
      await headgate.stop()
      await page.getByText('The connection to Headgate is lost').waitFor()
      expect(await page.getByText('Nothing is pending').isVisible()).toBe(true)
    })
  },
)
