import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { builtFile } from '../process/package.js'
import type { KafkaProcessMessage } from './kafka-process.js'

/** An embedded Kafka that other processes can reach: one broker, four partitions per topic. */
export interface Kafka {
  /** `host:port`, on loopback. */
  readonly bootstrap: string
  /** Id of its process: SIGSTOP freezes the broker. */
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Starts an embedded Kafka on a free port, with these topics; others are created when a client asks for them. It ends with the
 * process that started it. It keeps at most 5 MiB per partition and deletes older records. If a client looks up an offset by
 * time, it responds that no record is as new (librdkafka, rdkafka_mock_handlers.c), so a Headgate without state restores nothing
 * from it.
 */
export async function startKafka(topics: readonly string[] = []): Promise<Kafka> {
  // Its own process group: Ctrl-C in a terminal must not stop the broker while Headgate still drains to it.
  const child = fork(builtFile('sandbox/kafka-process.js'), topics, {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const stop = () => kill(child)
  try {
    const bootstrap = await address(child)
    if (child.pid === undefined) throw new Error('the operating system did not start its process')
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
    const report = message[0] as KafkaProcessMessage
    if ('error' in report) throw new Error(report.error)
    return report.bootstrap
  } finally {
    exited.catch(() => {})
    ended.abort()
  }
}

/** SIGKILL, because a frozen process would not handle any other signal, and there is nothing to save. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
