import { abandonNativeCall, noteNativeCall } from '../../../lib/native-calls.js'
import { logUnavailable } from './failures.js'

/** Milliseconds after which a call counts as stuck. Each has a limit of its own, and none is as long. */
export const STUCK_AFTER = 20_000

/**
 * As `call`, but rejects with HG_KAFKA_UNAVAILABLE when it is stuck. Calls of librdkafka that never return have been seen while
 * brokers were killed and frozen: `sendOffsetsToTransaction` again and again, another one once in hours.
 */
export async function unlessStuck<Result>(call: Promise<Result>): Promise<Result> {
  noteNativeCall(call)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abandonNativeCall(call)
      reject(logUnavailable(`the Kafka client has not responded for ${STUCK_AFTER / 1000} s`))
    }, STUCK_AFTER)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}
