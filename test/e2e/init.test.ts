import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'
import { startCxone } from '../../src/sandbox/cxone.js'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { temporaryDirectory } from '../helpers/context.js'

const run = promisify(execFile)
const headgate = (cwd: string, ...args: string[]) =>
  run(process.execPath, [builtFile('cli.js'), ...args], { cwd })

const SENDERS = [
  { sender: 'hmac', topic: 'orders' },
  { sender: 'cxone', topic: 'cxone.data.actions' },
  { sender: 'gitlab', topic: 'pushes' },
  { sender: 'genesys', topic: 'genesys' },
]

test.each(SENDERS)(
  'a config that init wrote for $sender runs, and the command that it printed delivers an event once',
  async ({ sender, topic }) => {
    const cwd = temporaryDirectory()
    const kafka = await startKafka([topic, `${topic}.dlq`])
    onTestFinished(() => kafka.stop())
    const { stdout } = await headgate(cwd, 'init', '--dir', 'new', '--sender', sender, '--topic', topic)
    const cxone = await startCxone({ clientId: 'your-client-id', clientSecret: 'your-client-secret' })
    onTestFinished(() => cxone.close())
    const env = {
      ...(parseEnv(readFileSync(join(cwd, 'new/.env'), 'utf8')) as { [name: string]: string }),
      KAFKA_BROKERS: kafka.bootstrap,
      CXONE_BASE_URL: cxone.url,
    }
    const started = await startHeadgate({ config: join(cwd, 'new/plugins.config.json'), env })
    onTestFinished(async () => void (await started.stop()))

    const [printed = ''] = /curl [\s\S]+$/.exec(stdout) ?? []
    const command = printed.replace('http://127.0.0.1:8080', started.intake)
    const post = () => run('sh', ['-c', command], { cwd, env: { ...process.env, ...env } })
    expect((await post()).stdout).toContain('"outcome":"delivered"')
    expect((await post()).stdout).toContain('"outcome":"duplicate"')
    const records = await readTopics(kafka.bootstrap, [topic])
    expect(records.map(({ headers }) => headers['headgate-event-id'])).toEqual(['example-1'])
    if (sender === 'cxone') await expect.poll(() => cxone.report().acknowledged).toHaveProperty('example-1')
  },
)

test('on a terminal it asks, and lines that are pasted at once answer several questions', () => {
  const cwd = temporaryDirectory()
  const command = `'${process.execPath}' '${builtFile('cli.js')}' init`
  const { status, stdout } = spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd,
    input: 'hmac\norders\n\n\n\n\nX-Shop-Signature\n',
    encoding: 'utf8',
  })
  expect([status, stdout]).toEqual([
    0,
    expect.stringContaining('Path that the sender posts to [/webhook/orders]'),
  ])
  const config = readFileSync(join(cwd, 'plugins.config.json'), 'utf8')
  expect(config).toContain('"header": "X-Shop-Signature"')
})

test('without a terminal and without flags it says what to give, and ends with 2', async () => {
  await expect(headgate(temporaryDirectory(), 'init')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no terminal to ask on. Give --sender and --topic'),
  })
})
