import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { builtFile } from '../process/package.js'
import type { KafkaProcessMessage } from './kafka-process.js'

/** An embedded Kafka that other processes can reach: one broker, four partitions a topic. */
export interface Kafka {
  /** `host:port`, on loopback. */
  readonly bootstrap: string
  /** Of the process it runs in: SIGSTOP freezes the broker. */
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Starts an embedded Kafka on a free port, with these topics; others come into being when a client asks for them.
 * It ends with the process that started it. At most 5 MiB are kept for each partition: older records go. To the question where
 * a time begins it answers that nothing is as new (librdkafka, rdkafka_mock_handlers.c), so that a Headgate without state reads
 * nothing back from it.
 */
export async function startKafka(topics: readonly string[] = []): Promise<Kafka> {
  // A process group of its own: Ctrl-C in a terminal must not take the broker from those who still drain to it.
  const child = fork(builtFile('sandbox/kafka-process.js'), topics, {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const stop = () => kill(child)
  try {
    const bootstrap = await address(child)
    if (child.pid === undefined) throw new Error('the process has no id')
    return { bootstrap, pid: child.pid, stop }
  } catch (error) {
    await stop()
    throw new Error(`The embedded Kafka did not start: ${error instanceof Error ? error.message : error}`)
  }
}

async function address(child: ChildProcess): Promise<string> {
  const ended = new AbortController()
  const exited = once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
    throw new Error(`its process ended with ${signal ?? `exit code ${code}`}`)
  })
  try {
    const message = await Promise.race([once(child, 'message', { signal: ended.signal }), exited])
    const answer = message[0] as KafkaProcessMessage
    if ('error' in answer) throw new Error(answer.error)
    return answer.bootstrap
  } finally {
    exited.catch(() => {})
    ended.abort()
  }
}

/** At once, because a frozen process would not hear anything else, and there is nothing to save. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
