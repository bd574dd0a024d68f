import type { Browser } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { temporaryDirectory } from '../helpers/context.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import {
  expectAccessible,
  expectAccessibleAtAllSizes,
  openBrowser,
  openPage,
  takePicture,
} from '../helpers/processes/chromium.js'
import { deploy, environment, eventText } from '../helpers/processes/deployment.js'
import { startInstances } from '../helpers/processes/instances.js'

const LATER = { timeout: 30_000 }

/** The acknowledgements of all events stay pending. */
function* refusals() {
  for (;;) yield { status: 503 }
}

describeKafka('the instances of a pipeline', () => {
  describe.skipIf(missingProgram('chromium', '--version') !== undefined)('in a browser', () => {
    const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

    async function opened({ admin }: HeadgateProcess) {
      const { page, faults } = await openPage(browser(), admin)
      await page.goto(`${admin}/console`)
      return { page, faults }
    }

    test('any instance shows all partitions of an inbox, with their owners and what is left to do', async () => {
      const instances = await startInstances(sharedKafka(), 3)
      instances.cxone.script('acknowledge', refusals())
      for (let n = 0; n < 30; n++) await instances.post(eventText(`event-${n}`, '{"priority":"high"}'))
      const [, second] = instances.running as readonly [HeadgateProcess, HeadgateProcess]
      const { page, faults } = await opened(second)

      const shown = page.getByRole('region', { name: 'Instances and partitions' })
      const members = shown.getByRole('region', { name: 'Instances', exact: true })
      const rows = members.locator('tbody tr')
      await shown.getByText('0 not worked off, 30 not acknowledged').waitFor(LATER)
      expect(await rows.count()).toBe(3)
      const own = await members.getByRole('row').filter({ hasText: 'this instance' }).allInnerTexts()
      expect(own).toEqual([expect.stringContaining(`/${second.pid} this instance`)])
      const owners = shown.locator('tbody tr:has(td:nth-child(5)) td:nth-child(2)')
      // Kafka assigns the partitions evenly, but not at once.
      await expect.poll(() => rows.locator('td:nth-child(2)').allInnerTexts(), LATER).toEqual(['2', '2', '2'])
      expect(new Set(await owners.allInnerTexts()).size).toBe(3)
      expect(await owners.count()).toBe(6)
      expect(await page.getByText('the traffic of this instance').isVisible()).toBe(true)
      await takePicture(shown, 'console-instances')

      await expectAccessibleAtAllSizes(page)
      expect(faults).toEqual([])
    })

    test('a standby names the active instance, which says that it takes the events', async () => {
      const deployment = await deploy(sharedKafka())
      const standby = await startHeadgate({
        config: deployment.configFile,
        env: { ...environment(sharedKafka(), deployment.cxone), HEADGATE_STATE_DIR: temporaryDirectory() },
        until: 'listening',
      })
      onTestFinished(() => void standby.kill('SIGKILL'))
      const { page, faults } = await opened(standby)
      const panel = page.locator('.panel').filter({ has: page.getByRole('heading', { name: 'Instances' }) })
      await panel.getByText('standby', { exact: true }).waitFor(LATER)
      expect(await panel.textContent()).toMatch(
        new RegExp(`The active instance is process ${deployment.headgate.pid} on \\S+, since \\d`),
      )
      await expectAccessible(page)
      expect(faults).toEqual([])

      const active = await opened(deployment.headgate)
      await active.page.getByText('This instance takes the events, since').waitFor(LATER)
      expect(active.faults).toEqual([])
    })
  })
})
