import { HeadgateError } from '../../../contract/errors.js'
import {
  definePlugin,
  type HttpHandler,
  type HttpHead,
  type HttpResponse,
  type Intake,
  type Source,
  type SourceContext,
} from '../../../contract/index.js'
import { problem } from '../../../http/problem.js'
import { bytes, milliseconds } from '../../../lib/units.js'
import { answerer } from './answer.js'
import { contentEncoding } from './content-encoding.js'
import { createDeadline } from './deadline.js'
import { ensuredBy } from './event-id.js'
import { explain } from './explain.js'
import { requireJson } from './media-type.js'
import { receiver } from './receive.js'
import { type Settings, settings } from './settings.js'
import { VERIFY_LINTS, verifier, verifyFindings, verifyProblems } from './verify/schemes.js'

export const httpWebhook = definePlugin({
  kind: 'source',
  name: 'http-webhook',
  summary: 'Takes events by HTTP, from senders that prove who they are, and answers once they are durable.',
  config: settings,
  check: ({ verify }, context) => verifyProblems(verify, '/verify', context),
  lints: VERIFY_LINTS,
  lint: ({ verify, eventId }) =>
    verifyFindings(verify, '/verify', typeof eventId === 'string' ? undefined : eventId.header),
  ensures: ({ eventId }) => ensuredBy(eventId),
  unverified: (config) => ({ ...config, verify: { scheme: 'none' as const } }),
  maxBody: ({ maxBody }) => bytes(maxBody),
  claims: ({ path }) => [{ at: '/path', claim: `path ${path}` }],
  create: createSource,
})

function createSource(config: Settings, { http }: SourceContext): Source {
  const { memory, sharedBy = 1 } = http
  const maxInFlight = Math.ceil(config.maxInFlight / sharedBy)
  const maxBodyBytes = bytes(config.maxBody)
  const deadline = createDeadline(milliseconds(config.responseTimeout))
  const verify = verifier(config.verify)
  const encoding = contentEncoding(config.encodings, config.maxBody)
  const receive = receiver(config, verify, encoding)
  const answer = answerer(verify.challenge, encoding.accepted)
  let inFlight = 0
  let whenIdle: (() => void) | undefined
  let stopped: Promise<void> | undefined
  let unserve: (() => void) | undefined

  const requireRoom = () => {
    if (stopped !== undefined)
      throw new HeadgateError('HG_INTAKE_STOPPING', 'This pipeline takes no more events.')
    if (inFlight < maxInFlight) return
    throw new HeadgateError(
      'HG_INTAKE_BUSY',
      `${maxInFlight} events are in flight${sharedBy > 1 ? ' in this worker' : ''}; the source allows no more.`,
    )
  }

  /** A refused delivery is an event with an outcome like any other, so it takes the same way. */
  const refuse = async (intake: Intake, reason: unknown, request: HttpHead): Promise<HttpResponse> =>
    answer(
      await intake(() => {
        throw reason
      }, request),
    )

  const ended = (inflated: number) => {
    if (inflated > 0) memory.release(inflated)
    if (--inFlight === 0) whenIdle?.()
  }

  const handler = (intake: Intake): HttpHandler => ({
    methods: config.methods,
    maxBodyBytes,
    head(request) {
      const { headers } = request
      try {
        requireRoom()
        verify.head?.(headers)
        encoding.require(headers)
        requireJson(headers)
      } catch (reason) {
        return refuse(intake, reason, request)
      }
    },
    handle(request) {
      try {
        requireRoom()
      } catch (reason) {
        return refuse(intake, reason, request)
      }
      let id: string | undefined
      let inflated = 0
      let late = false
      inFlight++
      return new Promise((resolve, reject) => {
        const due = deadline.begin(() => {
          // The event goes on behind its answer, and its bytes stay in memory with it.
          late = true
          memory.add(request.body.length)
          resolve(tooLate(config.responseTimeout, id))
        })
        const receiveOnce = () => {
          const event = receive(request)
          const { bytes } = event.body
          if (bytes !== request.body) {
            if (!memory.take(bytes.length)) throw noMemory()
            inflated = bytes.length
          }
          id = event.id
          return event
        }
        intake(receiveOnce, request).then((outcome) => {
          deadline.end(due)
          if (late) memory.release(request.body.length)
          ended(inflated)
          resolve(answer(outcome))
        }, reject)
      })
    },
    tooLarge: (request) => refuse(intake, tooLarge(config.maxBody), request),
    noMemory: (request) => refuse(intake, noMemory(), request),
  })

  return {
    respond: answer,
    explain: (request) => explain(config, receive(request)),
    async start(intake) {
      unserve = http.serve(config.path, handler(intake))
    },
    stop() {
      stopped ??= new Promise<void>((resolve) => {
        whenIdle = resolve
        if (inFlight === 0) resolve()
      }).then(() => unserve?.())
      return stopped
    },
  }
}

const tooLarge = (limit: string): HeadgateError =>
  new HeadgateError('HG_INTAKE_TOO_LARGE', `The body is larger than ${limit}.`)

const noMemory = (): HeadgateError =>
  new HeadgateError('HG_INTAKE_BUSY', 'The events in flight have as many bytes as the process may hold.')

function tooLate(limit: string, id: string | undefined): HttpResponse {
  const message = `Kafka has not confirmed the event within ${limit}; it may still do so.`
  return problem(new HeadgateError('HG_INTAKE_TIMEOUT', message), id)
}
