import type { Log } from '../../../contract/index.js'
import type { ClientLogLine } from './session.js'

/** syslog's number for warnings; smaller is worse. */
const WARNING = 4
/** One text is logged once in so many milliseconds. */
const QUIET = 60_000
const TEXTS = 100

export interface ClientLog {
  write(line: ClientLogLine): void
  /** Why the last connection failed or broke, in librdkafka's words. */
  trouble(): string | undefined
  /** What was, is over. */
  forgetTrouble(): void
}

/** librdkafka's log in ours: what it repeats, as it does while a broker is down, is counted instead. */
export function createClientLog(log: Log, now: () => number = Date.now): ClientLog {
  const seen = new Map<string, { since: number; repeated: number }>()
  let trouble: string | undefined

  /** How often the text came since it was last logged; undefined where it must wait. */
  function due(text: string): number | undefined {
    const kind = text.replace(/\d+/g, '#')
    const last = seen.get(kind)
    if (last !== undefined && now() - last.since < QUIET) {
      last.repeated++
      return undefined
    }
    // Texts that vary in more than numbers must not fill the memory.
    if (seen.size >= TEXTS) seen.clear()
    seen.set(kind, { since: now(), repeated: 0 })
    return last?.repeated ?? 0
  }

  return {
    write({ severity, fac, message }) {
      const text = plain(message)
      // The name of the broker comes first: the address that failed is in the text.
      if (fac === 'FAIL') trouble = text.replace(/^\S+: /, '')
      if (severity > WARNING) {
        log.debug({ facility: fac }, `librdkafka: ${text}`)
        return
      }
      const repeated = due(`${fac} ${text}`)
      if (repeated === undefined) return
      log.warn({ facility: fac, ...(repeated > 0 && { repeated }) }, `librdkafka: ${text}`)
    },
    trouble: () => trouble,
    forgetTrouble() {
      trouble = undefined
    },
  }
}

/** Without the names of librdkafka's threads, and without what makes every repetition a text of its own. */
const plain = (message: string): string =>
  message.replace(/^\[thrd:[^\]]*\]: /, '').replace(/ \(after \d+ms.*\)$/, '')
