import type { Handshake } from '../../../../contract/index.js'
import { oneOf } from '../verify/one-of.js'
import { type Head, header, parameter, unauthenticated } from '../verify/verifier.js'
import { echo } from './echo.js'
import type { HandshakeSettings } from './settings.js'

type ByHead = Exclude<HandshakeSettings, { readonly form: 'body' }>

/** A handshake that the head of a request asks for. */
export interface HeadHandshake {
  readonly method: string
  /** False if the sender need not prove itself as it does for an event. */
  readonly verified: boolean
  matches(request: Head): boolean
  /** Throws HG_INTAKE_UNAUTHENTICATED, or HG_INTAKE_HANDSHAKE if there is nothing to echo. */
  respond(request: Head): Handshake
}

export function headHandshake(settings: ByHead): HeadHandshake {
  switch (settings.form) {
    case 'query':
      return byQuery(settings)
    case 'header':
      return byHeader(settings)
    case 'options':
      return byOptions(settings)
  }
}

function byQuery({
  form,
  method,
  parameter: name,
  token,
  member,
  verified,
}: ByHead & { form: 'query' }): HeadHandshake {
  const isKnown = token && oneOf(token.values)
  return {
    method,
    verified,
    matches: (request) => request.method === method && request.parameters.has(name),
    respond(request) {
      if (token !== undefined && !isKnown?.(parameter(request, token.parameter)))
        throw unauthenticated(`The token in the parameter ${token.parameter} of the query is not configured.`)
      return echo(form, parameter(request, name), member)
    },
  }
}

function byHeader({
  form,
  method,
  member,
  verified,
  ...settings
}: ByHead & { form: 'header' }): HeadHandshake {
  const name = settings.header.toLowerCase()
  return {
    method,
    verified,
    matches: (request) => request.method === method && request.headers[name] !== undefined,
    respond: (request) => echo(form, header(request, name), member),
  }
}

const ORIGIN = 'webhook-request-origin'

/** HTTP 1.1 Web Hooks for Event Delivery of CloudEvents, section 4: a sender that gets no grant does not send. */
function byOptions({ form, origins, rate, verified }: ByHead & { form: 'options' }): HeadHandshake {
  const any = origins.includes('*')
  return {
    method: 'OPTIONS',
    verified,
    matches: ({ method, headers }) => method === 'OPTIONS' && headers[ORIGIN] !== undefined,
    respond(request) {
      const origin = header(request, ORIGIN)
      if (!any && !origins.includes(origin))
        throw unauthenticated(`The origin in the header ${ORIGIN} is none of those that may send.`)
      const headers = {
        'webhook-allowed-origin': any ? '*' : origin,
        'webhook-allowed-rate': rate === undefined ? '*' : String(rate),
      }
      return { kind: 'handshake', form, response: { status: 200, headers, body: '' } }
    },
  }
}
