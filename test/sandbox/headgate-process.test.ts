import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configNews, type HeadgateOptions, startHeadgate } from '../../src/sandbox/headgate-process.js'

/** Starts a program in the place of Headgate. */
async function start(source: string, options: Partial<HeadgateOptions> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-test-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const program = join(directory, 'program.mjs')
  await writeFile(program, source)
  const started = await startHeadgate({
    config: 'plugins.config.json',
    program,
    ...options,
    // Files that a killed process leaves behind go with the directory.
    env: { TMPDIR: directory, ...options.env },
  })
  onTestFinished(async () => {
    started.kill('SIGKILL')
    await started.exited
  })
  return started
}

/** Serves /ready: refuses it twice, then is ready. Ends with 3 on SIGTERM. */
const PROGRAM = `
import { createServer } from 'node:http'
let asked = 0
const server = createServer((request, response) => {
  response.writeHead(request.url === '/ready' && ++asked > 2 ? 200 : 503).end('Kafka is asleep')
})
server.listen(0, '127.0.0.1', () => {
  const url = 'http://127.0.0.1:' + server.address().port
  console.log('not JSON')
  console.error(process.argv.slice(2).join(' '), process.env.HEADGATE_PORT, process.env.HEADGATE_LOG_FORMAT, process.env.EXTRA)
  console.log(JSON.stringify({ event: 'listening', intake: url + '/in', admin: url }))
})
process.on('SIGTERM', () => process.exit(3))
`

test('it is started as an operator would, on free ports, and is awaited until it is ready', async () => {
  const headgate = await start(PROGRAM, { env: { EXTRA: 'more' } })
  expect(headgate.intake).toBe(`${headgate.admin}/in`)
  const again = await fetch(`${headgate.admin}/ready`)
  expect(again.status).toBe(200)
  await expect.poll(() => headgate.lines).toContain('run --config plugins.config.json 0 json more')
})

test('a stop is orderly, may be asked for twice, and tells the exit code', async () => {
  const headgate = await start(PROGRAM)
  expect(await Promise.all([headgate.stop(), headgate.stop()])).toEqual([
    { code: 3, signal: null },
    { code: 3, signal: null },
  ])
  expect(() => process.kill(headgate.pid, 0)).toThrow('ESRCH')
})

test('its state directory goes with it', async () => {
  const headgate = await start(`console.log('state: ' + process.env.HEADGATE_STATE_DIR)\n${PROGRAM}`)
  await expect.poll(() => headgate.lines.join()).toContain('state: ')
  const directory = /state: (.+)/.exec(headgate.lines.join('\n'))?.[1] ?? ''
  expect(existsSync(directory)).toBe(true)
  await headgate.stop()
  expect(existsSync(directory)).toBe(false)
})

test('a state directory that the caller names stays', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-test-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const headgate = await start(`console.log('state: ' + process.env.HEADGATE_STATE_DIR)\n${PROGRAM}`, {
    env: { HEADGATE_STATE_DIR: directory },
  })
  await expect.poll(() => headgate.lines).toContain(`state: ${directory}`)
  await headgate.stop()
  expect(existsSync(directory)).toBe(true)
})

test('it can be killed while it starts', async () => {
  const abort = new AbortController()
  const starting = start(PROGRAM.replace('> 2', '> 2000'), { signal: abort.signal })
  abort.abort()
  await expect(starting).rejects.toThrow('The process ended with SIGKILL.')
})

test('who only wants it to listen does not wait until it is ready', async () => {
  const headgate = await start(PROGRAM.replace('> 2', '> 2000'), { until: 'listening' })
  expect((await fetch(`${headgate.admin}/ready`)).status).toBe(503)
})

test('one that does not become ready is ended, and its reason is told', async () => {
  const starting = start(PROGRAM.replace('> 2', '> 2000'), { within: 500 })
  await expect(starting).rejects.toThrow(/Not ready within 0.5 s: Kafka is asleep/)
})

test('one that ends at once is reported with what it said', async () => {
  const starting = start(`console.error('no such topic'); process.exitCode = 1`)
  await expect(starting).rejects.toThrow(/ended with exit code 1.*no such topic/s)
})

test('Headgate and Kafka end with the one who started them, also when that one is killed', async () => {
  const built = (file: string) =>
    JSON.stringify(new URL(`../../build/src/sandbox/${file}`, import.meta.url).href)
  const parent = await start(`
    import { writeFileSync } from 'node:fs'
    import { startHeadgate } from ${built('headgate-process.js')}
    import { startKafka } from ${built('kafka.js')}
    const program = process.argv[1] + '.child.mjs'
    writeFileSync(program, ${JSON.stringify(PROGRAM)})
    const kafka = await startKafka()
    const { pid, intake, admin } = await startHeadgate({ config: '', env: {}, program })
    console.log(JSON.stringify({ event: 'listening', intake, admin, pids: [kafka.pid, pid] }))
  `)
  const { pids } = JSON.parse(parent.lines.findLast((line) => line.includes('pids')) ?? '')
  expect(pids.map(isAlive)).toEqual([true, true])
  parent.kill('SIGKILL')
  await expect.poll(() => pids.map(isAlive), { timeout: 10_000 }).toEqual([false, false])
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const line = (fields: object): string => JSON.stringify({ level: 'info', time: 'now', ...fields })

test.each([
  { event: 'config', msg: 'the new config is running' },
  {
    level: 'error',
    code: 'HG_CONFIG_VALUE',
    msg: 'the new config was refused, the old one keeps running: because',
  },
])('$msg is news of the config', (fields) => {
  expect(configNews(line(fields))).toBe(fields.msg)
})

test.each([
  line({ event: 'listening', msg: 'listening' }),
  line({ level: 'debug', event: 'config', msg: 'the config is unchanged' }),
  'no JSON, "event":"config"',
])('%s is none', (text) => {
  expect(configNews(text)).toBeUndefined()
})
