import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { ROUTES } from '../../src/sandbox/routes.js'

interface Sandbox {
  readonly child: ChildProcess
  text(): string
}

async function sandbox(...options: readonly string[]): Promise<Sandbox> {
  const ports = ['--port', '0', '--admin-port', '0']
  const child = spawn(process.execPath, [builtFile('cli.js'), 'sandbox', ...ports, ...options])
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk
    })
  }
  onTestFinished(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  await expect.poll(() => text, { timeout: 30_000 }).toContain('Press Ctrl-C')
  return { child, text: () => text }
}

const run = (command: string) => promisify(execFile)('sh', ['-c', command])

test('the commands that the sandbox prints work as they stand, and their records show', async () => {
  const { text } = await sandbox()
  const commands = text().match(/^curl .*$/gm) ?? []
  expect(commands).toHaveLength(ROUTES.length)
  for (const [at, { name, topic, partition }] of ROUTES.entries()) {
    const { stdout } = await run(commands[at] ?? '')
    expect(stdout).toMatch(/^HTTP\/1.1 200 /)
    expect(JSON.parse(stdout.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      outcome: 'delivered',
      topic,
      partition,
      offset: 0,
    })
    const line = `${topic}  partition ${partition}  offset 0  key example-${name}  route ${name}\n`
    await expect.poll(text).toContain(line)
  }
  const { stdout } = await run(commands[0] ?? '')
  expect(stdout).toContain('"outcome":"duplicate"')
})

test('the addresses that the sandbox prints answer', async () => {
  const { text } = await sandbox()
  const address = (name: string) => new RegExp(`^${name} +(http\\S+)`, 'm').exec(text())?.[1] ?? ''
  const [metrics, ready, acknowledgements] = await Promise.all(
    ['metrics', 'ready', 'acknowledgements'].map((name) => fetch(address(name))),
  )
  expect(await metrics?.text()).toContain('headgate_events_total')
  expect(ready?.status).toBe(200)
  expect(await acknowledgements?.json()).toHaveProperty('acknowledged')
})

test.each([
  { sender: 'stripe', secret: 'STRIPE_SECRET' },
  { sender: 'slack', secret: 'SLACK_SECRET' },
  { sender: 'sendgrid', secret: 'SENDGRID_PUBLIC_KEY' },
  { sender: 'twilio', secret: 'TWILIO_SECRET' },
  { sender: 'event-grid', secret: 'EVENT_GRID_SECRET' },
])(
  'a simulated sender of $sender registers, proves its events, and delivers one again',
  async ({ sender, secret }) => {
    const { child, text } = await sandbox('--sender', sender)
    expect(text()).toContain(`in the variable ${secret}\n`)
    // Twilio gets an instruction, whatever the outcome.
    const outcome = (name: string) => (sender === 'twilio' ? '200\n' : `200 ${name}\n`)
    await expect
      .poll(text, { timeout: 30_000 })
      .toContain(`event 5, delivered again: ${outcome('duplicate')}`)
    if (sender === 'slack') expect(text()).toContain('slack  registration: 200\n')
    for (const n of [1, 2, 3, 4, 5]) expect(text()).toContain(`event ${n}: ${outcome('delivered')}`)
    await expect.poll(text).toContain(`${sender}  partition`)
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(text()).not.toContain('401')
  },
)

test.each(['SIGINT', 'SIGTERM'] as const)('%s stops the sandbox and all that it started', async (signal) => {
  const { child, text } = await sandbox()
  const [, ready = ''] = /^ready +(http\S+)/m.exec(text()) ?? []
  const [, report = ''] = /^acknowledgements +(http\S+)/m.exec(text()) ?? []
  child.kill(signal)
  expect(await once(child, 'exit')).toEqual([0, null])
  for (const address of [ready, report]) await expect(fetch(address)).rejects.toThrow('fetch failed')
})
