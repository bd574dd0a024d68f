import type { Duplex } from 'node:stream'
import type { Contents } from '../config/files.js'
import type { ReadResult } from '../config/read.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Settings } from '../process/settings.js'
import { type Channel, createChannel } from './channel.js'
import { toErrorText } from './error-text.js'
import type { Request, StartMessage, ToPrimary, ToWorker } from './messages.js'
import { type Front, startFront } from './worker.js'

export interface WorkerOptions {
  /** To the primary process. */
  readonly stream: Duplex
  /** Reads and checks a config that consists of these files. */
  read(settings: Settings, contents: Contents): Promise<ReadResult>
  /** As of `Io`. */
  onWarning(listener: (warning: Error) => void): void
}

/** Does what the primary process asks for. Resolves when that is gone, or has had this worker stop. */
export function runWorker({ stream, read, onWarning }: WorkerOptions): Promise<void> {
  const channel: Channel<ToPrimary, ToWorker> = createChannel(stream)
  let front: Front | undefined
  let last: Promise<void> = Promise.resolve()

  const start = async (message: StartMessage): Promise<string> => {
    front = await startFront(message, {
      send: channel.send,
      sendSoon: channel.sendSoon,
      read: (contents) => read(message.settings, contents),
      onWarning,
    })
    return front.url
  }
  const doAsAsked = async (request: Request): Promise<string | undefined> => {
    if (request.kind === 'start') return start(request)
    await front?.do(request)
    return undefined
  }
  const answer = async (number: number, request: Request): Promise<void> => {
    try {
      const url = await doAsAsked(request)
      channel.send({ kind: 'answer', number, ...(url !== undefined && { url }) })
    } catch (thrown) {
      const error = asHeadgateError(thrown, 'The worker')
      channel.send({ kind: 'answer', number, error: toErrorText(error) })
    }
    if (request.kind === 'stop') await channel.close()
  }
  channel.onMessage((message) => {
    if (message.kind === 'request') {
      const { number, request } = message
      // One after the other, but for what does not change what runs, and what ends it.
      if (request.kind === 'report' || request.kind === 'stop') void answer(number, request)
      else last = last.then(() => answer(number, request))
    } else if (message.kind === 'abandon') last = last.then(() => front?.abandon())
    else front?.take(message)
  })
  return new Promise((resolve) => channel.onClosed(resolve))
}
