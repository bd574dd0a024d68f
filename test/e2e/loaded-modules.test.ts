import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../helpers/context.js'
import { startSandboxed } from '../helpers/processes/sandboxed.js'

const inline = (program: string) => `data:text/javascript,${encodeURIComponent(program)}`

/** Hooks of node's module loader: write down each module that is imported. */
const HOOKS = `
  import { appendFileSync } from 'node:fs'
  export function load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n')
    return next(url, context)
  }`
/** Comes before the program. Modules that are required and not imported are known at its end. */
const RECORDER = `
  import { appendFileSync } from 'node:fs'
  import { createRequire, register } from 'node:module'
  register(${JSON.stringify(inline(HOOKS))})
  const { cache } = createRequire(process.argv[1])
  process.on('exit', () => appendFileSync(process.env.LOADED, Object.keys(cache).join('\\n')))`

/**
 * All modules that "headgate run" has loaded when it has been ready and is stopped, below the folder of the package: of our
 * own, which the build puts together, those of `src/`.
 */
async function loadedByRun(config: string): Promise<string[]> {
  const file = join(temporaryDirectory(), 'loaded')
  const env = { LOADED: file, NODE_OPTIONS: `--import ${inline(RECORDER)}` }
  const { headgate } = await startSandboxed(resolve('dist/cli.js'), config, env)
  await headgate.stop()
  const here = `${resolve('.')}/`
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace('file://', ''))
    .filter((path) => path.startsWith(here))
    .map((path) => path.slice(here.length))
    .flatMap((path) => (path.startsWith('dist/') ? sourcesOf(path) : [path]))
}

function sourcesOf(built: string): string[] {
  const { sources } = JSON.parse(readFileSync(`${built}.map`, 'utf8')) as { sources: string[] }
  return sources
    .map((source) => relative('.', join(dirname(built), source)))
    .filter((path) => path.startsWith('src/'))
}

const NOT_FOR_A_START = [
  /^node_modules\/(typebox|pino-pretty|jsonata|saxes)\//,
  // All of undici: its index.js, and what nothing asks for that only talks to a server.
  /^node_modules\/undici\/(index\.js$|lib\/(cache|interceptor|mock)\/)/,
  /^src\/(sdk|conformance|scenarios)\b/,
  // The process starts others for dry runs and dead letters, whose filter it checks; an inbox keeps its failed acknowledgements among
  // the dead letters.
  /^src\/dry-run\/(?!dry-run-process\.ts$)/,
  /^src\/dead-letters\/(?!(process|failed-ack(-topic)?|filter|find|judge|letter|notes|proof|session)\.ts$)/,
  /^src\/commands\/(?!(index|command|run|load|problems|help-hint)\.ts$)/,
]

test('a start loads nothing that only other commands or other configs need', async () => {
  const loaded = await loadedByRun('bench/plugins.config.json')
  expect(loaded.filter((path) => NOT_FOR_A_START.some((pattern) => pattern.test(path)))).toEqual([])
  for (const needed of [
    /^src\/commands\/run\.ts$/,
    /^node_modules\/undici\//,
    /^node_modules\/node-rdkafka\//,
  ])
    expect(loaded).toContainEqual(expect.stringMatching(needed))
})

test('a config with a JSONata rule has it loaded', async () => {
  const loaded = await loadedByRun('plugins.config.json')
  expect(loaded).toContainEqual(expect.stringMatching(/^node_modules\/jsonata\//))
})
