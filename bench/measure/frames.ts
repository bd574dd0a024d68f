import { setTimeout as delay } from 'node:timers/promises'
import type { Locator, Page } from 'playwright-core'

/** The frames of a page in some seconds. Times are milliseconds. */
export interface Frames {
  readonly perSecond: number
  /** Between one frame and the next. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** The share of the time in frames that are so long that a person notices them. */
  readonly late: number
  /** Tasks of more than 50 ms, during which the page responds to nothing. */
  readonly longTasks: number
  /** The share of the time in which the main thread of the page worked. */
  readonly busy: number
}

/** Milliseconds: three frames of a display of 60 Hz. */
const LATE = 50

/** Milliseconds between two turns of the wheel, their pixels, and how many go in one direction. */
const WHEEL = { every: 30, pixels: 120, turns: 40 }

/** `seconds`: its only argument. */
const WATCH = `seconds => new Promise(resolve => {
  const frames = []
  const tasks = []
  const observer = new PerformanceObserver(list => tasks.push(...list.getEntries().map(({ duration }) => duration)))
  observer.observe({ type: 'longtask' })
  let before = performance.now()
  const end = before + seconds * 1000
  const frame = now => {
    frames.push(now - before)
    before = now
    if (now < end) return requestAnimationFrame(frame)
    observer.disconnect()
    resolve({ frames: frames.slice(1), tasks })
  }
  requestAnimationFrame(frame)
})`

interface Watched {
  readonly frames: readonly number[]
  readonly tasks: readonly number[]
}

/** Watches a page while a list of it is scrolled by the wheel of a mouse. */
export async function watchFrames(page: Page, list: Locator, seconds: number): Promise<Frames> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const worked = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
  }
  const [before, since] = [await worked(), performance.now()]
  const watching = page.evaluate(`(${WATCH})(${seconds})`) as Promise<Watched>
  await scroll(page, list, watching)
  const watched = await watching
  const busy = (await worked()) - before
  await session.detach()
  return summarizeFrames(watched, busy / ((performance.now() - since) / 1000))
}

async function scroll(page: Page, list: Locator, until: Promise<unknown>): Promise<void> {
  let over = false
  const end = () => {
    over = true
  }
  until.then(end, end)
  await list.hover()
  for (let turn = 0; !over; turn++) {
    await page.mouse.wheel(0, Math.floor(turn / WHEEL.turns) % 2 === 0 ? WHEEL.pixels : -WHEEL.pixels)
    await delay(WHEEL.every)
  }
}

export function summarizeFrames({ frames, tasks }: Watched, busy: number): Frames {
  const sorted = frames.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
  const all = sum(frames)
  return {
    perSecond: all === 0 ? 0 : frames.length / (all / 1000),
    p50: at(0.5),
    p99: at(0.99),
    longest: sorted.at(-1) ?? 0,
    late: all === 0 ? 0 : sum(frames.filter((frame) => frame > LATE)) / all,
    longTasks: tasks.length,
    busy,
  }
}
