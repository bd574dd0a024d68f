import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
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
  takePicture,
} from '../helpers/processes/chromium.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

const EVENT = {
  dataActionId: 'da-1',
  eventType: 'DataActionExecuted',
  timestamp: '2025-06-01T08:00:00Z',
  payload: { region: 'eu-west', note: '<img src=x onerror="document.title=1">' },
}

describe.skipIf(missingProgram('chromium', '--version') !== undefined)('the view Try in a browser', () => {
  const browser = sharedByTests<Browser>((atEnd) => openBrowser(atEnd))

  async function opened(env: { readonly [name: string]: string } = {}) {
    const folder = temporaryDirectory()
    for (const path of ['plugins.config.json', 'schemas'])
      cpSync(path, join(folder, path), { recursive: true })
    const { headgate } = await startSandboxed(builtFile('cli.js'), join(folder, 'plugins.config.json'), env)
    const { page, faults } = await openPage(browser(), headgate.admin)
    await page.goto(`${headgate.admin}/console#/try`)
    const attempt = async (body: string) => {
      await page.getByLabel('Body of the request').fill(body)
      await page.getByRole('button', { name: 'Try it' }).click()
    }
    return { page, faults, attempt, folder, headgate }
  }

  test('an event is drawn on the picture, with the values that decided', async () => {
    const { page, faults, attempt, headgate } = await opened()
    await attempt(JSON.stringify(EVENT))
    await page
      .getByText('It would be delivered to cxone.data.actions.eu, partition 1 by the rule eu-west.')
      .waitFor()
    const picture = page.getByRole('region', { name: 'The way of the event' })
    for (const text of ['matched', 'did not match', 'partition 1', 'acknowledges it'])
      expect(await picture.getByText(text).first().isVisible(), text).toBe(true)
    expect(await page.getByText("jsonata payload.region = 'eu-west'").isVisible()).toBe(true)
    expect(await page.getByLabel('Value of the record').textContent()).toContain('<img src=x')
    await takePicture(page, 'console-try')
    await expectAccessible(page)

    await attempt('{"dataActionId": "x", "payload": 1}')
    await page.getByText('It would be refused: HG_SCHEMA_VIOLATION.').waitFor()
    expect(await picture.getByText('refuses it').isVisible()).toBe(true)

    await page.getByText('Headers, method and query').click()
    await page.getByLabel('Headers, one a line').fill('Authorization: Bearer nobody')
    await attempt(JSON.stringify(EVENT))
    await page.getByText('It would be refused: HG_INTAKE_UNAUTHENTICATED.').waitFor()
    await page.getByLabel('Headers, one a line').fill(`Authorization: Bearer ${TOKEN}`)
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('It would be delivered').waitFor()

    await expectAccessibleAtAllSizes(page)
    const metrics = await (await fetch(new URL('/metrics', headgate.admin))).text()
    expect(metrics).not.toMatch(/^headgate_events_total\{.*\} [1-9]/m)
    expect(await page.title()).toBe('Headgate')
    expect(faults).toEqual([])
  })

  test('an event that passes can be picked, tried, and kept as a scenario that passes', async () => {
    const { page, faults, folder, headgate } = await opened({ HEADGATE_CONFIG_WRITABLE: 'true' })
    await page.getByRole('button', { name: 'Pick a recent event' }).click()
    const picked = page.getByRole('button', { name: EVENT.dataActionId })
    await expect
      .poll(async () => {
        await fetch(new URL('/webhook/cxone/data-actions', headgate.intake), {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify(EVENT),
        })
        return picked.count()
      })
      .toBeGreaterThan(0)
    await picked.first().click()
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('It would be delivered').waitFor()

    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    expect((await download).suggestedFilename()).toBe('da-1-eu-west.json')
    await page.getByRole('button', { name: 'Save in scenarios/' }).click()
    await page.getByText('Saved as scenarios/da-1-eu-west.json.').waitFor()
    const file = join(folder, 'scenarios/da-1-eu-west.json')
    expect(readFileSync(file, 'utf8')).toBe(readFileSync((await (await download).path()) as string, 'utf8'))
    const out = execFileSync(process.execPath, [builtFile('cli.js'), 'test', file], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(out).toContain('1 scenario, all pass.')

    await page.getByRole('button', { name: 'Save in scenarios/' }).click()
    await page.getByRole('alert').filter({ hasText: 'exists; choose another name' }).waitFor()
    // The browser reports the status 409 of the second attempt.
    expect(faults.filter((fault) => !fault.includes('409'))).toEqual([])
  })
})
