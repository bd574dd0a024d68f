import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { takeoverProblem } from '../../src/process/takeover.js'
import { startCxone } from '../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment, eventText } from '../helpers/processes/deployment.js'

const TOPICS = ['high', 'eu', 'default', 'dlq'].map((route) => `cxone.data.actions.${route}`)
const SENDERS = 8
const TAKEOVERS = Number(process.env['TAKEOVERS'] ?? 3)
const EVENTS = 100

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** The status, or the code of the error. */
const ask = (port: number, path: string, agent: Agent, body?: string): Promise<number | string> =>
  new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${environment('', { url: '' })['WEBHOOK_TOKEN']}`,
      'content-type': 'application/json',
    }
    const method = body === undefined ? 'GET' : 'POST'
    request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) =>
      response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    )
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end(body)
  })

const count = (counts: Map<number | string, number>, what: number | string) =>
  void counts.set(what, (counts.get(what) ?? 0) + 1)

/** Half of them connect for each event, the others keep their connections. */
function load(port: number, adminPort: number) {
  const answered: string[] = []
  const others = new Map<number | string, number>()
  const probes = new Map<number | string, number>()
  let sending = true
  const sender = async (name: number) => {
    const agent = new Agent({ keepAlive: name % 2 === 0 })
    for (let n = 0; sending; n++) {
      const id = `${name}-${n}`
      const send = () => ask(port, '/webhook/cxone/data-actions', agent, eventText(id, '{}'))
      for (let status = await send(); status !== 200; status = await send()) {
        count(others, `${name % 2 === 0 ? 'kept ' : ''}${status}`)
        await delay(20)
      }
      answered.push(id)
      await delay(30)
    }
    agent.destroy()
  }
  const probe = async () => {
    for (const agent = new Agent(); sending; await delay(20))
      count(probes, await ask(adminPort, '/health', agent))
  }
  const ended = Promise.all([probe(), ...Array.from({ length: SENDERS }, (_, name) => sender(name))])
  return {
    answered,
    others,
    probes,
    async stop() {
      sending = false
      await ended
    },
  }
}

const problem = takeoverProblem(process.versions.node)
if (problem !== undefined)
  process.stdout.write('takeover: skipped, because this Node has no SO_REUSEPORT (22.12 or later has)\n')

test.skipIf(problem !== undefined)(
  'takeovers under load refuse no connection, and lose and double no event',
  async () => {
    const kafka = await startKafka(TOPICS)
    onTestFinished(kafka.stop)
    const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
    onTestFinished(() => cxone.close())
    const [port, adminPort] = [await freePort(), await freePort()]
    const start = async (): Promise<HeadgateProcess> => {
      const headgate = await startHeadgate({
        config: SHIPPED_CONFIG,
        until: 'listening',
        env: {
          ...environment(kafka.bootstrap, cxone),
          HEADGATE_PORT: String(port),
          HEADGATE_ADMIN_PORT: String(adminPort),
          HEADGATE_STATE_DIR: directory,
          HEADGATE_TAKEOVER: 'true',
        },
        within: 40_000,
      })
      onTestFinished(() => headgate.kill('SIGKILL'))
      return headgate
    }
    const directory = temporaryDirectory({})
    let running = await start()
    const { answered, others, probes, stop } = load(port, adminPort)
    await vi.waitUntil(() => answered.length > EVENTS, { timeout: 30_000 })

    for (let n = 0; n < TAKEOVERS; n++) {
      const next = await start()
      expect(await running.exited).toEqual({ code: 0, signal: null })
      expect(running.lines.join('\n')).toContain('"another process takes over"')
      running = next
      const before = answered.length
      await vi.waitUntil(() => answered.length > before + EVENTS, { timeout: 30_000 })
    }
    await stop()
    await running.stop()

    process.stdout.write(
      `${TAKEOVERS} takeovers: ${answered.length} events; not 200: ${JSON.stringify([...others])}; probes: ${JSON.stringify([...probes])}\n`,
    )
    // Without net.ipv4.tcp_migrate_req, the kernel resets a connection that arrives in the moment of the close.
    const rare = ['ECONNRESET', 'kept ECONNRESET', '503', 'kept 503']
    expect([...others.keys()].filter((what) => !rare.includes(String(what)))).toEqual([])
    expect([...probes.keys()].filter((what) => what !== 200 && what !== 'ECONNRESET')).toEqual([])
    const ids = (await readTopics(kafka.bootstrap, TOPICS)).map(({ headers }) => headers['headgate-event-id'])
    expect(ids.toSorted()).toEqual(answered.toSorted())
  },
)
