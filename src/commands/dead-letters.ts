import { Socket } from 'node:net'
import type { CheckedConfig } from '../config/read.js'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import { DeadLetterDesk } from '../dead-letters/desk.js'
import type { FromLetters, LettersRequest, LettersStart, ToLetters } from '../dead-letters/messages.js'
import { LETTERS_FD } from '../dead-letters/process.js'
import { type DeadLetterSession, withSession } from '../dead-letters/session.js'
import { pointer } from '../lib/json/pointer.js'
import { readRecordKey } from '../pipeline/record-mac.js'
import { redactor } from '../process/redact.js'
import { Channel } from '../workers/channel.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig } from './load.js'

type ToPrimaryChannel = Channel<FromLetters, ToLetters>

export const deadLettersCommand: Command = {
  name: 'dead-letters',
  summary: 'Works through dead letters for the admin API of `headgate run`, which starts this command.',
  hidden: true,
  async run(_, io) {
    const channel: ToPrimaryChannel = new Channel(new Socket({ fd: LETTERS_FD }))
    const requests = new Requests(channel)
    const [start, closed] = await Promise.all([requests.start, Promise.resolve(requests.closed)])
    await serve(start, requests, channel, closed, io)
    await channel.close()
    return EXIT.ok
  },
}

/** The messages of the primary process: the start, and then requests, which wait until something takes them. */
class Requests {
  readonly start: Promise<LettersStart>
  /** Aborted when the primary process has ended. */
  readonly closed = new AbortController()
  #take: ((number: number, request: LettersRequest) => void) | undefined
  readonly #waiting: [number, LettersRequest][] = []

  constructor(channel: ToPrimaryChannel) {
    channel.onClosed(() => this.closed.abort())
    this.start = new Promise((resolve) =>
      channel.onMessage((message) => {
        if (message.kind === 'start') resolve(message)
        else if (this.#take === undefined) this.#waiting.push([message.number, message.request])
        else this.#take(message.number, message.request)
      }),
    )
  }

  takeWith(take: (number: number, request: LettersRequest) => void): void {
    this.#take = take
    for (const [number, request] of this.#waiting.splice(0)) take(number, request)
  }
}

/** Resolves when the primary process has ended, or wants this one to, or when Kafka cannot be used any more. */
async function serve(
  start: LettersStart,
  requests: Requests,
  channel: ToPrimaryChannel,
  closed: AbortController,
  io: Io,
): Promise<void> {
  const { settings, pipeline } = start
  const fail = (error: HeadgateError) =>
    requests.takeWith((number) =>
      channel.send({ kind: 'failure', number, code: error.code, message: error.message }),
    )
  let redact = (text: string): string => text
  try {
    const config = await runningConfig(start, io)
    redact = redactor(config.secrets)
    const checked = config.pipelines.find(({ name }) => name === pipeline)
    if (checked === undefined)
      throw new HeadgateError('HG_CONFIG_VALUE', `There is no pipeline "${pipeline}".`)
    const recordKey = readRecordKey(settings.recordKeyFile, io.cwd)
    const kill = [closed.signal, io.kill]
    await withSession({ config, checked, recordKey, writes: true, kill }, (session) =>
      work(session, config, checked.settings.tap.mask, requests, channel, [closed.signal, io.signal]),
    )
  } catch (thrown) {
    const { code, message } = asHeadgateError(thrown, 'Reading the dead letters')
    fail(new HeadgateError(code, redact(message)))
  }
}

/** As it runs, and not as its files are now. */
async function runningConfig({ settings, files }: LettersStart, io: Io): Promise<CheckedConfig> {
  const { contents, ...checked } = files
  const read = await loadConfig(settings, io, { contents: new Map(contents), checked })
  if (read.ok) return read.config
  throw new HeadgateError('HG_CONFIG_VALUE', read.problems.map(({ message }) => message).join(' '))
}

function work(
  session: DeadLetterSession,
  { secrets }: CheckedConfig,
  masks: readonly string[],
  requests: Requests,
  channel: ToPrimaryChannel,
  ends: readonly AbortSignal[],
): Promise<void> {
  return new Promise((resolve) => {
    const desk = new DeadLetterDesk({
      session,
      secrets,
      masks: masks.map((text) => pointer(text).tokens),
      onRun(run) {
        channel.send({ kind: 'run', run })
        if (run.state === 'ended' && (desk.hasGivenUp || ends.some(({ aborted }) => aborted))) resolve()
      },
    })
    const end = () => {
      if (!desk.isRunning) return resolve()
      void desk.handle({ kind: 'stop' })
    }
    for (const signal of ends) signal.addEventListener('abort', end)
    requests.takeWith((number, request) => {
      desk.handle(request).then(
        (result) => channel.send({ kind: 'response', number, result }),
        (thrown: unknown) => {
          const { code, message } = asHeadgateError(thrown, 'Reading the dead letters')
          channel.send({ kind: 'failure', number, code, message: session.redact(message) })
        },
      )
    })
  })
}
