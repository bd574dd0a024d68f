import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { temporaryDirectory } from '../helpers/context.js'
import { sharedByTests } from '../helpers/lasting.js'
import { missingProgram } from '../helpers/missing-program.js'
import {
  expectAccessibleAtAllSizes,
  openBrowser,
  openPage,
  takePicture,
} from '../helpers/processes/chromium.js'
import { startSandboxed } from '../helpers/processes/sandboxed.js'

const SECRET = 'written-in-the-file-itself'
/** Without errors; the config of the test has secrets that are warned of. */
const CHECKED = { hasText: /^\d+ warnings?$/ }
/** A bound, not a wait: every check of a config starts a process. */
const LONG = 180_000
const WRITABLE = { HEADGATE_CONFIG_WRITABLE: 'true' }

describe.skipIf(missingProgram('chromium', '--version') !== undefined)(
  'the view Config in a browser',
  () => {
    const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

    async function opened(env: { readonly [name: string]: string } = {}) {
      const folder = temporaryDirectory()
      for (const path of ['plugins.config.json', 'schemas'])
        cpSync(path, join(folder, path), { recursive: true })
      const file = join(folder, 'plugins.config.json')
      writeFileSync(file, readFileSync(file, 'utf8').replace('${env:WEBHOOK_TOKEN}', SECRET))
      const { headgate } = await startSandboxed(builtFile('cli.js'), file, env)
      const { page, faults } = await openPage(browser(), headgate.admin)
      const bodies: string[] = []
      page.on('response', async (response) => {
        if (response.url().includes('/config')) bodies.push(await response.text().catch(() => ''))
      })
      await page.goto(`${headgate.admin}/console#/config`)
      await page.getByRole('region', { name: 'Problems' }).getByRole('status').filter(CHECKED).waitFor()
      return { page, faults, headgate, bodies, onDisk: () => readFileSync(file, 'utf8') }
    }

    /** Puts the cursor behind a text, found by the search of the editor. */
    async function goBehind(page: Page, text: string): Promise<void> {
      await page.getByRole('textbox', { name: 'The config file' }).click()
      await page.keyboard.press('Control+f')
      await page.getByPlaceholder('Find').pressSequentially(text)
      await page.keyboard.press('Enter')
      await page.keyboard.press('Escape')
      await page.keyboard.press('ArrowRight')
    }

    async function post(intake: string, id: string, region: string): Promise<void> {
      const event = {
        dataActionId: id,
        eventType: 'DataActionExecuted',
        timestamp: '2025-06-01T08:00:00Z',
        payload: { region },
      }
      const response = await fetch(new URL('/webhook/cxone/data-actions', intake), {
        method: 'POST',
        headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
        body: JSON.stringify(event),
      })
      expect(response.status).toBe(200)
    }

    test('somebody edits with completion, and sees problems as they type', async () => {
      const { page, faults } = await opened(WRITABLE)
      const problems = page.getByRole('region', { name: 'Problems' })
      await goBehind(page, '"deadLetter": { "topic": "cxone.data.actions.dlq" }')
      await page.keyboard.type(', "maxP')
      await page.getByRole('option', { name: '"maxPending"' }).waitFor()
      await page.keyboard.type('endign": 5')
      await problems.getByText('Did you mean "maxPending"?').waitFor()
      expect(await page.getByRole('button', { name: 'Apply' }).isDisabled()).toBe(true)
      await page.getByRole('button', { name: 'Discard the change' }).click()
      await problems.getByRole('status').filter(CHECKED).waitFor()
      expect(faults).toEqual([])
    })

    test('somebody sees both differences, applies the change, and goes back', async () => {
      const { page, faults, headgate, bodies, onDisk } = await opened(WRITABLE)
      const before = onDisk()
      const problems = page.getByRole('region', { name: 'Problems' })
      await post(headgate.intake, 'a', 'eu-west')
      await post(headgate.intake, 'b', 'us-east')
      await goBehind(page, "payload.region = 'eu-west'")
      await page.keyboard.type(" or payload.region = 'us-east'")
      await page.getByText("or payload.region = 'us-east'").nth(1).waitFor()
      await page.getByRole('button', { name: 'Compare with past events' }).click()
      await page.getByText('1 of 2 events of cxone-data-actions would go elsewhere.').waitFor()
      await takePicture(page, 'console-config')
      await expectAccessibleAtAllSizes(page)

      await page.getByRole('button', { name: 'Apply' }).click()
      await page.getByText('is running.').waitFor()
      expect(onDisk()).toBe(before.replace("= 'eu-west'", "= 'eu-west' or payload.region = 'us-east'"))
      await page.getByRole('button', { name: 'Go back to' }).click()
      await problems.getByRole('status').filter(CHECKED).waitFor()
      await page.getByRole('button', { name: 'Apply' }).click()
      await page.getByText('is running.').waitFor()
      expect(onDisk()).toBe(before)

      expect(bodies.join('')).toContain('[hidden ')
      expect(bodies.join('')).not.toContain(SECRET)
      expect(faults).toEqual([])
    })

    test('where nothing may be written it says so, and still shows what a change would do', async () => {
      const { page, faults } = await opened()
      await page.getByText('is not set. You can edit').waitFor()
      expect(await page.getByRole('button', { name: 'Apply' }).count()).toBe(0)
      await goBehind(page, '"cxone.data.actions.dlq"')
      await page.keyboard.type('x')
      await page.getByRole('region', { name: 'Problems' }).getByText('HG_CONFIG_SYNTAX').waitFor()
      await page.getByRole('button', { name: 'line 5' }).first().click()
      await page.getByRole('textbox', { name: 'The config file' }).and(page.locator(':focus')).waitFor()
      expect(faults).toEqual([])
    })

    test('somebody who edits a file that another has changed meanwhile is told so', async () => {
      const { page, faults, onDisk, headgate } = await opened(WRITABLE)
      await goBehind(page, "payload.region = 'eu-west'")
      await page.keyboard.type(" or payload.region = 'us-east'")
      await page.getByText("or payload.region = 'us-east'").nth(1).waitFor()
      const { tag, text } = (await (await fetch(new URL('/config', headgate.admin))).json()) as {
        tag: string
        text: string
      }
      const other = await fetch(new URL('/config', headgate.admin), {
        method: 'PUT',
        headers: { 'if-match': tag },
        body: JSON.stringify({ text: `${text}// another` }),
      })
      expect(other.status).toBe(200)
      await page.getByRole('button', { name: 'Apply' }).click()
      await page.getByRole('alert').filter({ hasText: 'The file has changed' }).waitFor()
      expect(onDisk()).toMatch(/\/\/ another$/)
      expect(faults.filter((fault) => !fault.includes('412'))).toEqual([])
    })
  },
  LONG,
)
