import { spawn } from 'node:child_process'
import { type ErrorCode, HeadgateError } from '../contract/errors.js'
import { SerialQueue } from '../lib/async.js'
import { builtFile } from './package.js'

/** The bounds of a question to a child process. */
export interface QuestionLimits {
  /** Of the error if there is no response in time. */
  readonly code: ErrorCode
  /** Begins its message: `The config could not be checked`. */
  readonly failed: string
  /** Milliseconds, the start of the process included. */
  readonly timeout: number
  /** MiB of its heap; as much as this process if undefined. */
  readonly memory?: number
}

/**
 * Runs a hidden command of Headgate in a child process, which reads `question` as JSON from its standard input and writes its
 * result as JSON. Whatever takes seconds there would block the event loop here, and with it probes and events. Rejects with the
 * code of the limits if they are exceeded, or if `signal` is aborted.
 */
export function askProcess<Result>(
  command: string,
  question: object,
  limits: QuestionLimits,
  signal?: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const { timeout, memory } = limits
    const memoryOption = memory === undefined ? [] : [`--max-old-space-size=${memory}`]
    const child = spawn(process.execPath, [...memoryOption, builtFile('cli.js'), command], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let reason = 'its process ended; "headgate validate" may show why'
    const kill = (why: string) => {
      reason = why
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => kill(`it took longer than ${timeout / 1000} s`), timeout)
    const stop = () => kill('Headgate is shutting down')
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.once('error', (error) => {
      reason = error.message
    })
    child.once('close', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      try {
        resolve(JSON.parse(output) as Result)
      } catch {
        reject(questionFailed(limits, reason))
      }
    })
    // The process may end before it has read everything; its exit is handled above.
    child.stdin.on('error', () => {}).end(JSON.stringify(question))
  })
}

/** Questions that run or wait; one runs at a time. */
const MOST_QUESTIONS = 8

/** The questions of the admin API: anybody who reaches its listener can ask. */
export class QuestionQueue {
  readonly #questions = new SerialQueue()

  /** Calls `ask` when no other question runs. Rejects with the code of the limits if too many wait. */
  async run<Result>(limits: QuestionLimits, ask: () => Promise<Result>): Promise<Result> {
    if (this.#questions.size >= MOST_QUESTIONS)
      throw questionFailed(limits, `${MOST_QUESTIONS} others are waiting`)
    return this.#questions.run(ask)
  }
}

const questionFailed = ({ code, failed }: QuestionLimits, why: string): HeadgateError =>
  new HeadgateError(code, `${failed}: ${why}.`)
