import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'
import { expectAccessibleAtAllSizes, openBrowser, openPage } from '../helpers/processes/chromium.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

const NAMES = ['orders-of-the-shop', 'returns-of-the-shop']
const CONFIG = {
  pipelines: Object.fromEntries(
    NAMES.map((name) => [
      name,
      webhookPipeline({
        source: { path: `/${name}` },
        otherwise: { topic: 'cxone.data.actions.eu', partition: 0 },
      }),
    ]),
  ),
}

describe.skipIf(missingProgram('chromium', '--version') !== undefined)(
  'several pipelines in a browser',
  () => {
    const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

    test('on a phone, the list of events has the whole id and the pipeline of each', async () => {
      const folder = temporaryDirectory({ 'plugins.config.json': JSON.stringify(CONFIG) })
      const { headgate } = await startSandboxed(builtFile('cli.js'), join(folder, 'plugins.config.json'))
      const { page, faults } = await openPage(browser(), headgate.admin)
      await page.goto(`${headgate.admin}/console#/events`)
      const list = page.getByRole('region', { name: 'Events, newest first' })
      for (const name of NAMES) {
        const row = list.locator('tbody tr').filter({ hasText: name })
        // The list is live once the tap is open.
        await expect
          .poll(async () => {
            await fetch(new URL(`/${name}`, headgate.intake), {
              method: 'POST',
              headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
              body: JSON.stringify({ id: `0b9f6f0e-6d0c-4c1e-9d5e-${Date.now()}` }),
            })
            return row.count()
          })
          .toBeGreaterThan(0)
      }
      await expectAccessibleAtAllSizes(page)
      await page.setViewportSize({ width: 390, height: 900 })
      const hidden = await list.evaluate(
        ({ scrollWidth, clientWidth }: { readonly scrollWidth: number; readonly clientWidth: number }) =>
          scrollWidth - clientWidth,
      )
      expect(hidden).toBe(0)
      for (const name of NAMES) expect(await list.getByText(name).last().isVisible(), name).toBe(true)
      expect(faults).toEqual([])
    })
  },
)
