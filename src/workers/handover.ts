import type { Correlation, Outcome } from '../contract/index.js'
import { ReceivedRequest } from '../http/request.js'
import type { Decided } from '../pipeline/decision.js'
import type { EventContext } from '../pipeline/event-log.js'
import type { Pipeline, WorkerPipeline } from '../pipeline/pipeline.js'
import { type EventMessage, fromEventMessage, toEventMessage } from './event-message.js'
import { fromOutcomeMessage, type OutcomeMessage, toOutcomeMessage } from './wire.js'

interface Waiting {
  readonly request: Correlation | undefined
  resolve(outcome: Outcome): void
}

/** In a worker: sends decided events to the primary process, and receives their outcomes. */
export class RemoteCommits {
  readonly #send: (message: EventMessage, parts: readonly Buffer[]) => void
  readonly #addressOf: (pipeline: WorkerPipeline) => Pick<EventMessage, 'generation' | 'pipeline'>
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  /** `addressOf`: identifies the same pipeline in the primary process. */
  constructor(
    send: (message: EventMessage, parts: readonly Buffer[]) => void,
    addressOf: (pipeline: WorkerPipeline) => Pick<EventMessage, 'generation' | 'pipeline'>,
  ) {
    this.#send = send
    this.#addressOf = addressOf
  }

  /** Has the primary process commit an event. Never rejects. The context must not be used afterwards. */
  commit(pipeline: WorkerPipeline, decided: Decided, context: EventContext): Promise<Outcome> {
    const number = this.#last++
    const { request } = context
    const address = { number, ...this.#addressOf(pipeline) }
    const { message, parts } = toEventMessage(address, decided, context, existingIdOf(request))
    pipeline.traffic.leave()
    this.#send(message, parts)
    return new Promise((resolve) => this.#waiting.set(number, { request, resolve }))
  }

  settle(message: OutcomeMessage): void {
    const { request, resolve } = this.#waiting.get(message.number) as Waiting
    this.#waiting.delete(message.number)
    if (message.requestId !== undefined && request instanceof ReceivedRequest)
      request.adoptId(message.requestId)
    resolve(fromOutcomeMessage(message))
  }
}

/** Any other kind of request creates an id when it is read. */
const existingIdOf = (request: Correlation | undefined): string | undefined =>
  request instanceof ReceivedRequest ? request.existingId : request?.requestId

/** In the primary process: commits an event that a worker has decided, and sends back its outcome. Never throws. */
export function commitForWorker(
  pipeline: Pipeline,
  message: EventMessage,
  parts: readonly Buffer[],
  send: (message: OutcomeMessage) => void,
): void {
  const { decided, context, request } = fromEventMessage(message, parts, pipeline.traffic)
  void pipeline.commit(decided, context).then((outcome) => {
    const newId = request.existingId === message.requestId ? undefined : request.existingId
    send(toOutcomeMessage(message.number, outcome, newId))
  })
}
