import { describe, expect, it } from 'vitest'
import { bearer } from '../../../../../src/plugins/source/http-webhook/verify/bearer.js'
import { requestWith } from '../webhook.js'

const { head, challenge } = bearer({ scheme: 'bearer', tokens: ['old-token', 'new-token'] })
const present = (authorization?: string) => () =>
  head?.(requestWith(authorization === undefined ? {} : { authorization }))

describe('bearer', () => {
  it('accepts every configured token, so that tokens can be rotated without a gap', () => {
    expect(present('Bearer old-token')).not.toThrow()
    expect(present('Bearer new-token')).not.toThrow()
    expect(present('bearer  new-token ')).not.toThrow()
  })

  it('accepts tokens of different lengths', () => {
    const { head } = bearer({ scheme: 'bearer', tokens: ['a', 'a-much-longer-one', 'ab'] })
    const presented = (token: string) => () => head?.(requestWith({ authorization: `Bearer ${token}` }))
    for (const token of ['a', 'a-much-longer-one', 'ab']) expect(presented(token)).not.toThrow()
    for (const token of ['a-', 'a-much-longer-on', 'b', 'abc'])
      expect(presented(token)).toThrow('matches no configured token')
  })

  it.each([
    [undefined, 'The header authorization is missing.'],
    ['Basic b2xkLXRva2Vu', 'The header authorization is not "Bearer" and a token.'],
    ['Bearer', 'The header authorization is not "Bearer" and a token.'],
    ['Bearer two tokens', 'The header authorization is not "Bearer" and a token.'],
    ['Bearer old-toke', 'The bearer token matches no configured token.'],
    ['Bearer old-token2', 'The bearer token matches no configured token.'],
    ['Bearer OLD-TOKEN', 'The bearer token matches no configured token.'],
    ['Bearer old-token\0', 'The bearer token matches no configured token.'],
    ['Bearer new-token-and-more-than-the-longest', 'The bearer token matches no configured token.'],
    ['Bearer \u016fld-token', 'The bearer token matches no configured token.'],
  ])('refuses "%s" and says why', (authorization, message) => {
    expect(present(authorization)).toThrow(
      expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED', message }),
    )
  })

  it('tells the sender how to authenticate', () => {
    expect(challenge).toBe('Bearer')
  })
})
