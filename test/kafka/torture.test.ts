import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeKafka } from '../helpers/kafka/real-kafka.js'

const SECONDS = 45
const TIMEOUT = 400_000

describeKafka('the torture', () => {
  test(
    'breaks no promise, and leaves no process behind',
    async () => {
      const mark = randomUUID()

      const { code, output } = await torture(mark, ['--seconds', String(SECONDS)])

      expect(code, output).toBe(0)
      expect(output).toMatch(/^lost +0 /m)
      expect(output).toMatch(/^duplicates +0 /m)
      expect(output).toMatch(/^never acknowledged +0 /m)
      expect(output).toMatch(/^Every promise was kept: \d+ events, \d+ faults/m)
      await expect.poll(() => processesWith(mark)).toEqual([])
    },
    TIMEOUT,
  )

  test('of instances that share an inbox breaks no promise either', { timeout: TIMEOUT }, async () => {
    const mark = randomUUID()

    const options = ['--instances', '3', '--seconds', '40', '--rate', '150']
    const { code, output } = await torture(mark, options)

    expect(code, output).toBe(0)
    for (const breach of [
      'lost',
      'duplicates',
      'misrouted',
      'acknowledged before durable',
      'never acknowledged',
    ])
      expect(output).toMatch(new RegExp(`^${breach} +0 `, 'm'))
    expect(output).toMatch(/^Every promise was kept: \d+ events, \d+ faults/m)
    await expect.poll(() => processesWith(mark)).toEqual([])
  })

  test('that is called off leaves no process behind', { timeout: TIMEOUT }, async () => {
    const mark = randomUUID()
    const called = new AbortController()

    const ended = torture(mark, ['--seconds', '600', '--rate', '50'], called.signal)
    await expect
      .poll(() => processesWith(mark).some((command) => command.includes('cli.js')), LATER)
      .toBe(true)
    called.abort()

    expect((await ended).code).toBe(130)
    await expect.poll(() => processesWith(mark), LATER).toEqual([])
  })
})

const LATER = { timeout: 60_000, interval: 200 }

/** Inherited by all that the torture starts, so that they can be told from all other processes. */
const MARK = 'HG_TORTURE_MARK'

interface Ended {
  readonly code: number | string | null | undefined
  readonly output: string
}

function torture(mark: string, options: readonly string[], calledOff?: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['build/torture/run.js', ...options],
      { env: { ...process.env, [MARK]: mark } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    )
    calledOff?.addEventListener('abort', () => child.kill('SIGINT'))
  })
}

/** Their command lines; on Linux. */
function processesWith(mark: string): string[] {
  const ids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  return ids.flatMap((id) => {
    try {
      const marked = readFileSync(`/proc/${id}/environ`, 'utf8').includes(`${MARK}=${mark}\0`)
      return marked ? [readFileSync(`/proc/${id}/cmdline`, 'utf8')] : []
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}
