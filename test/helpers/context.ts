import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { onTestFinished } from 'vitest'
import { filesIn } from '../../src/config/files.js'
import { readSettings } from '../../src/config/stage-settings.js'
import type {
  BaseDefinition,
  CheckContext,
  Gauge,
  Lease,
  Log,
  MetricDeclaration,
  Metrics,
  Shareable,
  SharedContext,
  SinkContext,
} from '../../src/contract/index.js'
import type { AtEnd } from './lasting.js'

export interface LogLine {
  readonly level: keyof Log
  readonly fields: object
  readonly message: string
}

/** A Context whose log and metrics can be read, and whose signal can be aborted. */
export interface TestContext extends SinkContext {
  readonly lines: LogLine[]
  /** Counters and gauges by `name` or `name{label="value"}`. */
  readonly values: Map<string, number>
  abort(): void
}

interface Overrides extends Partial<SinkContext> {
  /** The folder that paths in the config are relative to: that of the project, or one of `temporaryDirectory`. */
  readonly root?: string
}

export function testContext({ root = process.cwd(), ...overrides }: Overrides = {}): TestContext {
  const lines: LogLine[] = []
  const values = new Map<string, number>()
  const aborter = new AbortController()
  const log = recordingLog(lines)
  const metrics = recordingMetrics(values)
  const { signal } = aborter
  return {
    pipeline: 'test',
    log,
    metrics,
    files: filesIn(root),
    signal,
    hasInbox: false,
    share: unshared((name) => ({ name, log, metrics, signal })),
    ...overrides,
    lines,
    values,
    abort: () => aborter.abort(),
  }
}

/** Each caller gets a resource of its own. */
const unshared =
  (contextOf: (name: string) => SharedContext): SinkContext['share'] =>
  <Thing extends Shareable>(_key: string, create: (context: SharedContext) => Thing): Lease<Thing> => {
    const thing = create(contextOf('test'))
    return { thing, release: () => thing.stop() }
  }

/** The second argument of a plugin's `check`. */
export const checkContext = (overrides: Partial<CheckContext> = {}): CheckContext => ({
  files: filesIn(process.cwd()),
  exposed: false,
  deadLetters: true,
  ...overrides,
})

/** A directory with these files (path: text), gone when the test has finished, or `atEnd`. */
export function temporaryDirectory(
  files: { readonly [path: string]: string } = {},
  atEnd: AtEnd = onTestFinished,
): string {
  const root = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  atEnd(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** The config as a plugin's `check` and `create` get it. Throws if it does not match the plugin's schema. */
export function fillDefaults<Schema extends TSchema>(
  definition: Pick<BaseDefinition<Schema>, 'name' | 'config' | 'presets'>,
  written: object,
): Static<Schema> {
  const { config, problems } = readSettings(definition, structuredClone(written))
  if (problems.length === 0) return config as Static<Schema>
  const said = problems.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')
  throw new TypeError(`Not a config of ${definition.name}: ${said}`)
}

function recordingLog(lines: LogLine[]): Log {
  const at = (level: keyof Log) => (fields: object, message: string) => {
    lines.push({ level, fields, message })
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function recordingMetrics(values: Map<string, number>): Metrics {
  const series = (name: string, labels: { readonly [label: string]: string } = {}) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
  }
  return {
    counters<Value extends string>(
      { name, labels: declared }: MetricDeclaration,
      labelValues: readonly Value[],
    ) {
      const [label = ''] = Object.keys(declared)
      const counters = labelValues.map((value) => {
        const key = series(name, { [label]: value })
        values.set(key, values.get(key) ?? 0)
        return [value, { inc: (count = 1) => values.set(key, (values.get(key) ?? 0) + count) }]
      })
      return Object.fromEntries(counters) as { [value in Value]: { inc(count?: number): void } }
    },
    gauge: ({ name }): Gauge => ({
      set: (value, labels) => values.set(series(name, labels), value),
      clear() {
        for (const key of values.keys()) if (key === name || key.startsWith(`${name}{`)) values.delete(key)
      },
    }),
  }
}
