import { describe, expect, it } from 'vitest'
import { verifying } from './scheme.js'

describe('body-field', () => {
  const graph = verifying({ scheme: 'body-field', at: '/value/*/clientState', secrets: ['old', 'new'] })
  const plain = verifying({ scheme: 'body-field', at: '/token', secrets: ['t'] })
  const states = (...states: unknown[]) => ({
    body: JSON.stringify({ value: states.map((clientState) => ({ clientState })) }),
  })

  it('accepts a body that has a configured secret at the place', () => {
    expect(plain({ body: '{"token":"t"}' })).not.toThrow()
    expect(graph(states('old'))).not.toThrow()
  })

  it('wants the secret in each element of a list', () => {
    expect(graph(states('old', 'new'))).not.toThrow()
    expect(graph(states('old', 'forged'))).toThrow('matches no configured secret')
    expect(graph(states('old', undefined))).toThrow('matches no configured secret')
  })

  it.each(['{}', '{"value":[]}', '{"value":{}}', '{"value":[[]]}', '[]', 'null', '{"value":"old"}'])(
    'refuses %s',
    (body) => {
      expect(graph({ body })).toThrow(expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }))
    },
  )

  it('compares texts only: no number, list or inherited member passes', () => {
    const inherited = verifying({ scheme: 'body-field', at: '/constructor/name', secrets: ['Object'] })
    expect(inherited({ body: '{}' })).toThrow('matches no configured secret')
    const number = verifying({ scheme: 'body-field', at: '/token', secrets: ['1'] })
    expect(number({ body: '{"token":1}' })).toThrow('matches no configured secret')
    expect(number({ body: '{"token":["1"]}' })).toThrow('matches no configured secret')
  })
})
