import { pointer } from '../../../../lib/json/pointer.js'
import type { HandshakeSettings } from '../handshake/settings.js'
import { type SimulatedRequest, withValue } from './request.js'

/** The request by which the sender registers the URL, with `value` as the text that it wants back. */
export function registration(handshake: HandshakeSettings, value: string): SimulatedRequest {
  const { form } = handshake
  switch (form) {
    case 'query': {
      const { method, parameter, token } = handshake
      const parameters = {
        ...(token && { [token.parameter]: String(token.values[0]) }),
        [parameter]: value,
      }
      return { ...EMPTY, method, query: new URLSearchParams(parameters).toString() }
    }
    case 'header':
      return { ...EMPTY, method: handshake.method, headers: { [handshake.header]: value } }
    case 'options':
      return {
        ...EMPTY,
        method: 'OPTIONS',
        headers: { 'WebHook-Request-Origin': originOf(handshake.origins) },
      }
    case 'body': {
      const members = Object.entries<unknown>(handshake.when)
      if (handshake.value !== undefined) members.push([handshake.value, value])
      const body = members.reduce<unknown>(
        (json, [place, member]) => withValue(json, pointer(place).tokens, member),
        undefined,
      )
      return { ...EMPTY, headers: { 'Content-Type': 'application/json' }, body: body as object }
    }
  }
}

const EMPTY: SimulatedRequest = { method: 'POST', query: '', headers: {}, body: undefined }

const originOf = ([first = '*']: readonly string[]): string => (first === '*' ? 'sender.example' : first)
