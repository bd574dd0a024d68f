import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { styleFor } from '../lib/terminal/text.js'
import type { Sender } from '../plugins/source/http-webhook/senders/sender.js'
import { writtenSettings } from '../plugins/source/http-webhook/senders/written-settings.js'
import { senderKey } from '../plugins/source/http-webhook/simulated-sender/key.js'
import { prover } from '../plugins/source/http-webhook/simulated-sender/proof.js'
import { registration } from '../plugins/source/http-webhook/simulated-sender/registration.js'
import { simulatedEvent } from '../plugins/source/http-webhook/simulated-sender/request.js'
import { configNews } from '../sandbox/headgate-process.js'
import { followTopics } from '../sandbox/reader.js'
import { type SimulatedSender, sendEvents, startSenderSandbox } from '../sandbox/sender-sandbox.js'
import { EXIT, type Io } from './command.js'
import { resolvedSource } from './resolved-source.js'
import { failure, recordLine } from './sandbox-output.js'

/** Starts Kafka, Headgate and a simulated sender, and shows responses and records until it is stopped. */
export async function runSenderSandbox(
  sender: Sender,
  ports: { readonly port: number; readonly adminPort: number },
  io: Io,
): Promise<number> {
  const { name } = sender
  const simulation = simulate(sender)
  io.out(`Starting an embedded Kafka, Headgate, and a simulated sender: ${sender.title}.\n`)
  const onLine = (line: string) => {
    const news = configNews(line)
    if (news !== undefined) io.out(`Headgate: ${news}\n`)
  }
  const { config, variables } = simulation
  const topics = [name, `${name}.dlq`]
  const sandbox = await startSenderSandbox({ ...ports, config, variables, topics, onLine })
  const { headgate, kafka } = sandbox
  io.kill.addEventListener('abort', () => headgate.kill('SIGKILL'))
  const ended = new AbortController()
  try {
    const webhook = new URL(simulation.path, headgate.intake).href
    io.out(instructions(sender, { webhook, admin: headgate.admin, secret: simulation.secret }, io))
    const reader = await followTopics(kafka.bootstrap, topics, (record) => io.out(recordLine(record)))
    const sending = sendEvents(webhook, simulation, (line) => io.out(`${name}  ${line}\n`), ended.signal)
    if (!io.signal.aborted) await Promise.race([once(io.signal, 'abort'), headgate.exited, sending])
    const hasExited = !io.signal.aborted
    ended.abort()
    await sending.catch(() => {})
    if (!hasExited) io.out('\nStopping.\n')
    const exit = await headgate.stop()
    await reader.close()
    if (hasExited || exit.code !== 0) io.err(failure(exit, headgate.lines))
    return hasExited || exit.code !== 0 ? EXIT.wrong : EXIT.ok
  } finally {
    ended.abort()
    await sandbox.stop()
  }
}

interface Simulation extends SimulatedSender {
  readonly path: string
  readonly config: object
  readonly variables: { readonly [name: string]: string }
  /** The variable that has the secret. */
  readonly secret: string
}

/** The sender with a new secret, and the config of a Headgate that takes its events. */
function simulate(sender: Sender): Simulation {
  const { name, event, redelivery } = sender
  const { settings: written, secret, token } = writtenSettings(sender)
  const text = () => randomBytes(24).toString('base64url')
  const verify = sender.settings['verify'] as Parameters<typeof senderKey>[0]
  const key = senderKey(verify, text())
  const variables = { [secret]: key.configured, ...(token !== undefined && { [token]: text() }) }
  const path = `/webhook/${name}`
  const source = { path, ...written }
  const settings = resolvedSource(source, variables)
  const prove = prover(settings, key.privateKey)
  const { handshake } = settings
  return {
    path,
    secret,
    variables,
    config: {
      pipelines: {
        [name]: {
          source: { plugin: 'http-webhook', config: source },
          transforms: [{ plugin: 'route', config: { rules: [], otherwise: { topic: name } } }],
          sink: { plugin: 'kafka', config: { brokers: '${env:KAFKA_BROKERS}' } },
          deadLetter: { topic: `${name}.dlq` },
          ...(redelivery !== undefined && { redelivery: { by: redelivery } }),
        },
      },
    },
    event: (id) => prove(simulatedEvent(event, settings, id)),
    ...(handshake !== undefined && { registration: () => prove(registration(handshake, text())) }),
  }
}

function instructions(
  { name, documentation }: Sender,
  { webhook, admin, secret }: { readonly webhook: string; readonly admin: string; readonly secret: string },
  io: Io,
): string {
  const style = styleFor(io.terminal.out, io.env)
  return `
${style('bold', 'Console')}           ${admin}/console

sender            ${name}, as ${documentation} has it
webhook           ${webhook}
secret            made at the start, in the variable ${secret}
metrics           ${admin}/metrics

An event is sent every second; every fifth is delivered again. Press Ctrl-C to stop everything. Responses and records:

`
}
