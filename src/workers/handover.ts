import type { Correlation, Outcome } from '../contract/index.js'
import { ReceivedRequest } from '../http/request.js'
import type { HandOver } from '../pipeline/handed.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import { type EventMessage, toEventMessage } from './event-message.js'
import { fromOutcomeMessage, type OutcomeMessage } from './wire.js'

/** Hands events over to the primary process, and takes back how they ended. */
export interface HandingOver {
  readonly handOver: HandOver
  ended(message: OutcomeMessage): void
}

interface Waiting {
  readonly request: Correlation | undefined
  resolve(outcome: Outcome): void
}

/** `addressOf`: where the primary process has the same pipeline. */
export function createHandingOver(
  send: (message: EventMessage, parts: readonly Buffer[]) => void,
  addressOf: (pipeline: Pipeline) => Pick<EventMessage, 'generation' | 'pipeline'>,
): HandingOver {
  const waiting = new Map<number, Waiting>()
  let last = 0
  return {
    handOver(pipeline, handed, passage) {
      const number = last++
      const { request } = passage
      const address = { number, ...addressOf(pipeline) }
      const { message, parts } = toEventMessage(address, handed, passage, knownIdOf(request))
      pipeline.traffic.handedOver()
      send(message, parts)
      return new Promise((resolve) => waiting.set(number, { request, resolve }))
    },
    ended(message) {
      const { request, resolve } = waiting.get(message.number) as Waiting
      waiting.delete(message.number)
      if (message.requestId !== undefined && request instanceof ReceivedRequest)
        request.adoptId(message.requestId)
      resolve(fromOutcomeMessage(message))
    },
  }
}

/** Of another kind of request it is not known whether it has an id until it is asked. */
const knownIdOf = (request: Correlation | undefined): string | undefined =>
  request instanceof ReceivedRequest ? request.existingId : request?.requestId
