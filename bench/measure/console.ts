import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { type Generator, startGenerator } from '../load/generator.js'
import type { LoadResult } from '../load/load-order.js'
import { BODY_BYTES } from '../load/loads.js'
import type { Environment } from '../programs/environment.js'
import { generateConfig, pathOf, payloadFor } from '../programs/generated-config.js'
import { type Machine, machineOf } from './figures.js'
import { type Frames, watchFrames } from './frames.js'
import { type Spread, spread } from './statistics.js'
import { processFigures } from './watch.js'

/** Whether the console stays smooth when there is much to show, and its cost for the process that it looks at. */
export interface ConsoleFigures {
  readonly machine: Machine
  readonly pipelines: number
  readonly rules: number
  readonly deadLetters: number
  /** Events a second that were due, and that were taken while the views were watched. */
  readonly rate: number
  readonly delivered: number
  readonly seconds: number
  readonly rounds: number
  readonly views: readonly ViewFigures[]
  readonly costs: readonly ConsoleCost[]
}

interface ViewFigures {
  readonly view: string
  readonly frames: Frames
}

/** Percent of a core. */
interface ConsoleCost {
  readonly load: string
  readonly consoles: number
  readonly without: Spread
  /** The difference that the consoles make, round by round. */
  readonly added: Spread
}

const PIPELINES = 20
/** Of the first pipeline, which the overview shows. */
const RULES = 500
const DEAD_LETTERS = 10_000
const RATE = 5000
const CONSOLES = 10
const CONNECTIONS = 64
const BAD = '"kind":"bad"'
/** Milliseconds. */
const READY_WITHIN = 120_000
/** Seconds until a load or a view is as it stays. */
const SETTLE = 3

interface ConsoleOptions {
  readonly rounds: number
  readonly seconds: number
}

export async function measureConsole(
  { rounds, seconds }: ConsoleOptions,
  environment: Environment,
): Promise<ConsoleFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-console-'))
  const headgate = await startHeadgate({
    config: await writeConfig(folder, environment),
    env: { ...environment.env, HEADGATE_STATE_DIR: join(folder, 'state') },
    within: READY_WITHIN,
  })
  const load = new ConsoleLoad(headgate, environment)
  try {
    await load.makeDeadLetters()
    const { views, delivered } = await measureViews(headgate, load, seconds)
    return {
      machine: machineOf(environment.kafka),
      pipelines: PIPELINES,
      rules: RULES,
      deadLetters: DEAD_LETTERS,
      rate: RATE,
      delivered,
      seconds,
      rounds,
      views,
      costs: await measureCosts(headgate, load, { rounds, seconds }),
    }
  } finally {
    await load.stop()
    headgate.kill('SIGKILL')
    await headgate.exited
    rmSync(folder, { recursive: true })
  }
}

interface GeneratedPipeline {
  readonly transforms: readonly { readonly config: { readonly rules?: readonly object[] } }[]
}

/** Many rules in one pipeline, which has dead letters, and few in the others. */
async function writeConfig(folder: string, environment: Environment): Promise<string> {
  const options = {
    kind: 'field equals text',
    schema: resolve('schemas/cxone-data-action.schema.json'),
    topic: await environment.emptyTopic(),
  } as const
  const { pipelines } = generateConfig({ ...options, pipelines: PIPELINES, rules: 1 })
  const many = generateConfig({ ...options, pipelines: 1, rules: RULES - 1 }).pipelines
  const bad = { name: 'bad', when: { regex: '^bad$', at: '/payload/kind' }, to: 'dead-letter' }
  const [first] = Object.values(many) as [GeneratedPipeline]
  const transforms = first.transforms.map(({ config, ...transform }) => ({
    ...transform,
    config: config.rules === undefined ? config : { ...config, rules: [bad, ...config.rules] },
  }))
  const all = { ...pipelines, 'bench-1': { ...first, transforms } }
  // Acknowledgements are another program's work, on the same cores.
  const silent = Object.entries(all).map(([name, pipeline]) => [name, { ...pipeline, postCommit: [] }])
  const file = join(folder, 'plugins.config.json')
  writeFileSync(file, JSON.stringify({ pipelines: Object.fromEntries(silent) }))
  return file
}

/** The events of a run. */
class ConsoleLoad {
  readonly #generator: Generator = startGenerator()
  readonly #order
  #made = 0

  constructor({ intake }: HeadgateProcess, { token }: Environment) {
    this.#order = {
      ports: [Number(new URL(intake).port)],
      token,
      bodyBytes: BODY_BYTES,
      connections: CONNECTIONS,
    }
  }

  async makeDeadLetters(): Promise<void> {
    let missing = DEAD_LETTERS
    // A start on a busy machine refuses some at first.
    while (missing > 0) {
      const { refused } = await this.#generator.run({
        ...this.#order,
        name: `bad-${missing}`,
        paths: [pathOf(1)],
        payloads: [BAD],
        seconds: 300,
        events: missing,
      })
      const { 202: made = 0 } = refused
      if (made === 0) throw new Error(`No dead letter was made: ${JSON.stringify(refused)}.`)
      missing -= made
    }
  }

  /** Events for all pipelines, and for the first and the last rules. */
  run(seconds: number): Promise<LoadResult> {
    const numbers = Array.from({ length: PIPELINES }, (_, index) => index + 1)
    return this.#generator.run({
      ...this.#order,
      name: `load-${this.#made++}`,
      paths: numbers.map(pathOf),
      payloads: [1, 2, RULES - 2, RULES - 1].map(payloadFor),
      rate: RATE,
      seconds,
    })
  }

  stop(): Promise<void> {
    return this.#generator.stop()
  }
}

interface View {
  readonly name: string
  /** Of the console. */
  readonly address: string
  /** The name of its longest list, which is scrolled. */
  readonly list: string
  /** There is all of it, once this is visible. */
  readonly text: string
}

const VIEWS: readonly View[] = [
  {
    name: 'overview',
    address: '#/overview/bench-1',
    list: 'Rules, in the order in which they are tried',
    text: `rule-${RULES - 1}`,
  },
  { name: 'events', address: '#/events', list: 'Events, newest first', text: '200 events, newest first' },
  {
    name: 'dead letters',
    address: '#/dead-letters',
    list: 'Dead letters, newest first',
    text: `1 to 100 of ${DEAD_LETTERS.toLocaleString('en')}`,
  },
]

async function measureViews({ admin }: HeadgateProcess, load: ConsoleLoad, seconds: number) {
  const browser = await openBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    const views: ViewFigures[] = []
    let delivered = 0
    await page.goto(`${admin}/console`)
    for (const view of VIEWS) {
      // The list of events is full after some seconds.
      const running = load.run(seconds + 5 * SETTLE)
      await openView(page, admin, view)
      views.push({ view: view.name, frames: await watchFrames(page, page.getByLabel(view.list), seconds) })
      const result = await running
      delivered += result.delivered / result.seconds / VIEWS.length
    }
    return { views, delivered }
  } finally {
    await browser.close()
  }
}

async function openView(page: Page, admin: string, { address, text }: View): Promise<void> {
  await page.goto(`${admin}/console${address}`)
  await page.getByText(text).first().waitFor()
  await delay(SETTLE * 1000)
}

function openBrowser(): Promise<Browser> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

/** In turns, so that noise of the machine affects both. */
async function measureCosts(
  headgate: HeadgateProcess,
  load: ConsoleLoad,
  { rounds, seconds }: ConsoleOptions,
): Promise<ConsoleCost[]> {
  const costs: ConsoleCost[] = []
  for (const rate of [0, RATE]) {
    const without: number[] = []
    const added: number[] = []
    for (let round = 0; round < rounds; round++) {
      const running = rate === 0 ? undefined : load.run(2 * (seconds + SETTLE))
      await delay(SETTLE * 1000)
      const alone = await cpuShare(headgate, seconds)
      const close = await openConsoles(headgate.admin)
      const watched = await cpuShare(headgate, seconds)
      close()
      await running
      without.push(alone)
      added.push(watched - alone)
    }
    const name = rate === 0 ? 'no events' : `${rate.toLocaleString('en')} events/s`
    costs.push({ load: name, consoles: CONSOLES, without: spread(without), added: spread(added) })
  }
  return costs
}

/** Percent of a core. */
async function cpuShare({ pid }: HeadgateProcess, seconds: number): Promise<number> {
  const [before, since] = [processFigures([pid]).cpu, performance.now()]
  await delay(seconds * 1000)
  return ((processFigures([pid]).cpu - before) / ((performance.now() - since) * 1000)) * 100
}

/** The streams that open consoles follow: as many browsers would be the load themselves. Resolves when they flow. */
async function openConsoles(admin: string): Promise<() => void> {
  const closing = new AbortController()
  const opened = Array.from({ length: CONSOLES }, async () => {
    const { body } = await fetch(new URL('/traffic', admin), {
      headers: { accept: 'text/event-stream' },
      signal: closing.signal,
    })
    const reader = body?.getReader()
    await reader?.read()
    const follow = async () => {
      while ((await reader?.read())?.done === false);
    }
    // Closing it ends the reading with an error.
    follow().catch(() => {})
  })
  await Promise.all(opened)
  return () => closing.abort()
}
