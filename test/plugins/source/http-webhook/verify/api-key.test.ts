import { describe, expect, it } from 'vitest'
import { ReceivedRequest } from '../../../../../src/http/request.js'
import { apiKey } from '../../../../../src/plugins/source/http-webhook/verify/api-key.js'
import { verifying } from './scheme.js'

const refusal = (message: string) => expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED', message })

describe('api-key', () => {
  const inHeader = verifying({ scheme: 'api-key', header: 'X-Gitlab-Token', keys: ['old key', 'new'] })
  const inQuery = verifying({ scheme: 'api-key', query: 'code', keys: ['a/b+c'] })
  const body = '{}'

  it('accepts every configured key in the header, and nothing else', () => {
    const present = (key: string) => inHeader({ headers: { 'x-gitlab-token': key }, body })
    for (const key of ['old key', 'new']) expect(present(key)).not.toThrow()
    for (const key of ['ne', 'new ', 'NEW', 'new, new', 'old key\0'])
      expect(present(key)).toThrow(refusal('The key in the header x-gitlab-token matches no configured key.'))
    expect(inHeader({ body })).toThrow(refusal('The header x-gitlab-token is missing.'))
  })

  it('accepts a key beyond ASCII, in UTF-8 or in ISO 8859-1, as node:http has its bytes', () => {
    const umlaut = verifying({ scheme: 'api-key', header: 'X-Key', keys: ['Schlüssel'] })
    const present = (bytes: Buffer) => umlaut({ headers: { 'x-key': bytes.toString('latin1') }, body })
    expect(present(Buffer.from('Schlüssel'))).not.toThrow()
    expect(present(Buffer.from('Schlüssel', 'latin1'))).not.toThrow()
    expect(present(Buffer.from('Schlussel'))).toThrow(
      refusal('The key in the header x-key matches no configured key.'),
    )
  })

  it('accepts a key in the query, as it is after decoding', () => {
    expect(inQuery({ url: '/in?x=1&code=a%2Fb%2Bc', body })).not.toThrow()
    expect(inQuery({ url: '/in?code=a/b+c', body })).toThrow(
      refusal('The key in the parameter code of the query matches no configured key.'),
    )
    expect(inQuery({ url: '/in?other=1', body })).toThrow(
      refusal('The parameter code of the query is missing.'),
    )
  })

  it('refuses several keys, because a proxy may have looked at another one', () => {
    expect(inQuery({ url: '/in?code=a%2Fb%2Bc&code=x', body })).toThrow(
      refusal('The parameter code of the query was sent more than once.'),
    )
    const { head } = apiKey({ scheme: 'api-key', header: 'X-Key', keys: ['one, two'] })
    const twice = new ReceivedRequest('POST', { 'x-key': 'one, two' }, '/', ['X-Key', 'one', 'X-Key', 'two'])
    expect(() => head?.(twice)).toThrow(refusal('The header x-key was sent more than once.'))
  })
})
