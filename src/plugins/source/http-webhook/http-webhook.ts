import { HeadgateError } from '../../../errors.js'
import { problem } from '../../../http/problem.js'
import {
  definePlugin,
  type HttpAnswer,
  type HttpHandler,
  type HttpRequest,
  type Intake,
  type Source,
  type SourceContext,
} from '../../../plugin.js'
import { bytes, milliseconds } from '../../../units.js'
import { answerer } from './answer.js'
import { within } from './deadline.js'
import { requireJson } from './media-type.js'
import { receiver } from './receive.js'
import { type Settings, settings } from './settings.js'
import { verifier, verifyProblems } from './verify/schemes.js'

export const httpWebhook = definePlugin({
  kind: 'source',
  name: 'http-webhook',
  summary: 'Takes events by HTTP, from senders that prove who they are, and answers once they are durable.',
  config: settings,
  check: ({ verify }, context) => verifyProblems(verify, '/verify', context),
  claims: ({ path }) => [{ at: '/path', claim: `path ${path}` }],
  create: createSource,
})

function createSource(config: Settings, { http }: SourceContext): Source {
  const { maxInFlight } = config
  const maxBodyBytes = bytes(config.maxBody)
  const answerWithin = milliseconds(config.answerWithin)
  const verify = verifier(config.verify)
  const receive = receiver(config, verify)
  const answer = answerer(verify.challenge)
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
      `${maxInFlight} events are in flight; the source allows no more.`,
    )
  }

  /** A refused delivery is an event with an outcome like any other, so it takes the same way. */
  const refuse = async (intake: Intake, reason: unknown): Promise<HttpAnswer> =>
    answer(
      await intake(() => {
        throw reason
      }),
    )

  const take = async (
    intake: Intake,
    request: HttpRequest,
    onId: (id: string) => void,
  ): Promise<HttpAnswer> => {
    inFlight++
    try {
      const outcome = await intake(() => {
        const event = receive(request)
        onId(event.id)
        return event
      })
      return answer(outcome)
    } finally {
      if (--inFlight === 0) whenIdle?.()
    }
  }

  const handler = (intake: Intake): HttpHandler => ({
    methods: config.methods,
    maxBodyBytes,
    head({ headers }) {
      try {
        requireRoom()
        verify.head?.(headers)
        requireJson(headers)
      } catch (reason) {
        return refuse(intake, reason)
      }
    },
    handle(request) {
      try {
        requireRoom()
      } catch (reason) {
        return refuse(intake, reason)
      }
      let id: string | undefined
      const taken = take(intake, request, (its) => {
        id = its
      })
      return within(answerWithin, taken, () => tooLate(config.answerWithin, id))
    },
    tooLarge: () =>
      refuse(intake, new HeadgateError('HG_INTAKE_TOO_LARGE', `The body is larger than ${config.maxBody}.`)),
  })

  return {
    answer,
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

function tooLate(limit: string, id: string | undefined): HttpAnswer {
  const message = `Kafka has not confirmed the event within ${limit}; it may still do so.`
  return problem(new HeadgateError('HG_INTAKE_TIMEOUT', message), id)
}
