import { logUnavailable } from './failures.js'

/** Milliseconds after which a call counts as stuck. Each has a limit of its own, and none is as long. */
export const STUCK_AFTER = 20_000

const stuck = new Set<Promise<unknown>>()

/**
 * As `call`, but rejects with HG_KAFKA_UNAVAILABLE when it is stuck. Calls of librdkafka that never return have been seen while
 * brokers were killed and frozen: `sendOffsetsToTransaction` again and again, another one once in hours.
 *
 * A stuck call keeps its thread, and node would wait for that at its exit. So while there is one, the process ends itself by
 * SIGKILL then: everything that a stop has to do is done by that time.
 */
export async function unlessStuck<Result>(call: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      keep(call)
      reject(logUnavailable(`the Kafka client has not responded for ${STUCK_AFTER / 1000} s`))
    }, STUCK_AFTER)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}

function keep(call: Promise<unknown>): void {
  if (stuck.size === 0) process.on('exit', endByForce)
  stuck.add(call)
  const returned = (): void => {
    stuck.delete(call)
    if (stuck.size === 0) process.off('exit', endByForce)
  }
  call.then(returned, returned)
}

function endByForce(): void {
  process.stderr.write(
    'Headgate ends itself by SIGKILL, because a call of the Kafka client does not return.\n',
  )
  process.kill(process.pid, 'SIGKILL')
}
