import { HeadgateError } from '../../../contract/errors.js'
import {
  type Attempt,
  type Committed,
  type ConfigProblem,
  definePlugin,
  metric,
} from '../../../contract/index.js'
import { milliseconds } from '../../../lib/units.js'
import { createConnections, tokenUrlText } from './connections.js'
import { type Answer, exchange, isUnsendable, networkReason } from './exchange.js'
import { probe } from './probe.js'
import { retryAfter } from './retry-after.js'
import { Settings } from './settings.js'
import { statusMeanings, statusProblems } from './statuses.js'
import { compileTemplate, jsonEscape, percentEncode, templateProblems } from './template.js'
import { type Token, tokenSource } from './token.js'
import { tokenRequest } from './token-request.js'

const LONGEST_TIMEOUT = 3_600_000

/** Tells CXone that an event has been taken over, with the credentials of an OAuth client. */
const TOKEN_EXPIRY = metric({
  name: 'oauth_token_expiry_timestamp_seconds',
  type: 'gauge',
  help: 'Time at which the newest access token expires; 0 before the first one.',
  combine: 'max',
})

export const cxoneAck = definePlugin({
  kind: 'post-commit',
  name: 'cxone-ack',
  summary: 'Acknowledges events to NICE CXone over HTTP, with OAuth 2.0 tokens that it renews itself.',
  config: Settings,
  metrics: [TOKEN_EXPIRY],

  *check(config) {
    yield* urlProblems(config)
    yield* timeoutProblems(config)
    yield* clientIdProblems(config)
    yield* templateProblems(config.path, '/path')
    yield* templateProblems(config.body, '/body')
    yield* statusProblems(config.statuses, '/statuses')
  },

  probe,

  create(config, { log, metrics, signal }) {
    const { method } = config
    const timeout = milliseconds(config.timeout)
    const maxRetryAfter = milliseconds(config.maxRetryAfter)
    const meanings = statusMeanings(config.statuses)
    const connections = createConnections(config)
    const path = compileTemplate(connections.apiPrefix + config.path, percentEncode)
    const body = compileTemplate(config.body, jsonEscape)
    /** For messages: the template tells requests apart well enough, and has no data of a sender in it. */
    const request = `${method} ${config.path}`
    let stopping = false

    const expiry = metrics.gauge(TOKEN_EXPIRY)
    expiry.set(0)
    const tokens = tokenSource(tokenRequest(config, connections), {
      issued: (lifetime) => expiry.set((Date.now() + lifetime) / 1000),
      failed({ code, message }) {
        if (!stopping && !signal.aborted) log.warn({ code }, message)
      },
    })

    async function acknowledge(committed: Committed): Promise<Attempt> {
      try {
        const filledPath = path(committed)
        const filledBody = body(committed)
        const requestOf = (authorization: string) => ({
          method,
          path: filledPath,
          body: filledBody,
          headers: headers(authorization, committed),
        })
        const servers = connections.servers()
        const { api } = servers instanceof Promise ? await servers : servers
        const send = (token: Token): Promise<Answer> => exchange(api, requestOf(token.authorization), timeout)

        let token = tokens.current() ?? (await tokens.fetch())
        let answer = await send(token)
        if (answer.status === 401) {
          tokens.refuse(token)
          token = tokens.current() ?? (await tokens.fetch())
          answer = await send(token)
        }
        if (answer.status === 401) tokens.refuse(token)
        else if (meanings[answer.status] === 'success') tokens.accept(token)
        return verdict(answer)
      } catch (thrown) {
        return failed(thrown)
      }
    }

    function verdict(answer: Answer): Attempt {
      const meaning = meanings[answer.status]
      if (meaning === 'success') return { kind: 'acknowledged' }
      const message = `${request} was answered ${answer.status}.`
      if (meaning === 'give-up')
        return { kind: 'give-up', error: new HeadgateError('HG_ACK_GAVE_UP', message) }
      const after = retryAfter(answer, maxRetryAfter)
      return {
        kind: 'retry',
        error: new HeadgateError('HG_ACK_RETRY', message),
        ...(after !== undefined && { after }),
        ...(meaning === 'throttle' && { throttled: true }),
      }
    }

    function failed(thrown: unknown): Attempt {
      if (thrown instanceof HeadgateError) {
        return { kind: thrown.code === 'HG_ACK_REQUEST' ? 'give-up' : 'retry', error: thrown }
      }
      if (isUnsendable(thrown)) {
        const message = `${request} cannot be made: the trace context of the event cannot stand in a header.`
        return { kind: 'give-up', error: new HeadgateError('HG_ACK_REQUEST', message) }
      }
      const message = `${request} got no answer: ${networkReason(thrown)}.`
      return { kind: 'retry', error: new HeadgateError('HG_ACK_RETRY', message) }
    }

    return {
      acknowledge,
      request(committed) {
        const url = connections.apiOrigin + path(committed)
        return { method, url, body: body(committed), headers: asObject(headers('Bearer <token>', committed)) }
      },
      async start() {
        await connections.open(signal)
        // Wrong credentials show in the log now, and not with the first event.
        tokens.fetch().catch(() => undefined)
      },
      async stop() {
        stopping = true
        await connections.close(signal)
      },
    }
  },
})

function headers(authorization: string, { traceparent, tracestate }: Committed): string[] {
  const pairs = ['authorization', authorization, 'content-type', 'application/json', 'user-agent', 'headgate']
  if (traceparent !== undefined) pairs.push('traceparent', traceparent)
  if (tracestate !== undefined) pairs.push('tracestate', tracestate)
  return pairs
}

const asObject = (pairs: readonly string[]): { [name: string]: string } =>
  Object.fromEntries(pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1] ?? '']] : [])))

/** undici takes 0 for no limit, and Node's timers fire at once beyond 24 days. */
function* timeoutProblems({ timeout }: Settings): Iterable<ConfigProblem> {
  const wait = milliseconds(timeout)
  if (wait > 0 && wait <= LONGEST_TIMEOUT) return
  yield {
    at: '/timeout',
    code: 'HG_CONFIG_VALUE',
    message: `${timeout} is no sensible time to wait for an answer.`,
    expected: 'a duration from 1ms to 1h',
  }
}

/** The first colon of "id:secret" ends the id (RFC 7617, 2). */
function* clientIdProblems({ clientId, oauth }: Settings): Iterable<ConfigProblem> {
  if (oauth.clientAuthentication !== 'basic' || oauth.grant.type === 'access_key') return
  if (!clientId.includes(':')) return
  yield {
    at: '/clientId',
    code: 'HG_CONFIG_CONFLICT',
    message:
      'A client id with a colon cannot be sent by `"clientAuthentication": "basic"`: the colon ends the id.',
    expected: '`oauth.clientAuthentication` to be "basic-form-encoded" or "body"',
  }
}

function* urlProblems(config: Settings): Iterable<ConfigProblem> {
  const wrong = {
    code: 'HG_CONFIG_VALUE',
    message: 'This is not a URL.',
    expected: 'an http or https URL',
  } as const
  if (!URL.canParse(config.baseUrl)) yield { at: '/baseUrl', ...wrong }
  else if (!URL.canParse(tokenUrlText(config))) yield { at: '/oauth/tokenUrl', ...wrong }
}
