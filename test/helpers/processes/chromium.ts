import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { expect } from 'vitest'
import type { AtEnd } from '../lasting.js'

/** The Chromium of this machine. `args`: more of its arguments. */
export async function openBrowser(atEnd: AtEnd, args: readonly string[] = []): Promise<Browser> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
  const browser = await chromium.launch({
    executablePath,
    // Tests run as root in containers, where its sandbox does not start.
    args: ['--no-sandbox', ...args],
  })
  atEnd(() => browser.close())
  return browser
}

/** A page, and everything that is wrong with it: errors of scripts, violations of its policy, requests to other hosts. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly faults: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options })
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`a request to ${request.url()}`)
  })
  return { page, faults }
}

/** The folder of the pictures of the pages. */
const PICTURES = 'docs/images'
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47])

/**
 * Takes a picture of a page or a part of it for the pages, and fails if it is empty. With HEADGATE_PICTURES=write it replaces the one that is
 * committed.
 */
export async function takePicture(page: Page | Locator, name: string): Promise<void> {
  const picture = await page.screenshot({ animations: 'disabled' })
  expect(picture.subarray(0, 4)).toEqual(PNG)
  // A page without content is smaller.
  expect(picture.length).toBeGreaterThan(20_000)
  if (process.env['HEADGATE_PICTURES'] === 'write') writeFileSync(join(PICTURES, `${name}.png`), picture)
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Fails with what axe finds wrong with the page for people who use it by keyboard, by ear, or with little sight. */
export async function expectAccessible(page: Page): Promise<void> {
  // Inserted by the debugger, which the policy of the page does not apply to.
  await page.evaluate(readFileSync(AXE, 'utf8'))
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    return (await axe.run()).violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`),
    }))
    interface Violation {
      readonly id: string
      readonly impact: string
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
    }
  })
  expect(violations).toEqual([])
}

/** The same in both colour schemes, on a wide screen and on a phone, where nothing may be wider than the screen. */
export async function expectAccessibleAtAllSizes(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 900 })
      await expectAccessible(page)
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, `${width} px`).toBeLessThanOrEqual(0)
    }
}
