import { describe, expect, it } from 'vitest'
import { basic } from '../../../../../src/plugins/source/http-webhook/verify/basic.js'
import { requestWith } from '../webhook.js'

const { head, challenge } = basic({
  scheme: 'basic',
  // The examples of RFC 7617: 2 and 2.1.
  credentials: ['Aladdin:open sesame', 'test:123£', 'with:two:colons'],
})
const present = (authorization?: string) => () =>
  head?.(requestWith(authorization === undefined ? {} : { authorization }))
const encoded = (pair: string) => Buffer.from(pair).toString('base64')

describe('basic', () => {
  it('accepts every configured pair', () => {
    expect(present('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).not.toThrow()
    expect(present('basic dGVzdDoxMjPCow==')).not.toThrow()
    expect(present(`Basic ${encoded('with:two:colons')}`)).not.toThrow()
  })

  it.each([
    undefined,
    'Basic',
    'Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==!',
    'Basic QWxhZGRpbjpv*cGVuIHNlc2FtZQ==',
    `Basic ${encoded('Aladdin:open sesame2')}`,
    `Basic ${encoded('aladdin:open sesame')}`,
    `Basic ${encoded('Aladdin')}`,
    'Basic Aladdin:open sesame',
  ])('refuses %s', (authorization) => {
    expect(present(authorization)).toThrow(expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }))
  })

  it('tells the sender how to authenticate', () => {
    expect(challenge).toBe('Basic realm="headgate", charset="UTF-8"')
  })
})
