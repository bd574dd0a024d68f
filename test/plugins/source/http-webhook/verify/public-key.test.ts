import { generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { publicKeyOf } from '../../../../../src/plugins/source/http-webhook/verify/public-key.js'
import { verifying } from './scheme.js'

const NOW = 1_700_000_000
beforeEach(() => void vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const der = (key: { export(options: { format: 'der'; type: 'spki' }): Buffer }) =>
  key.export({ format: 'der', type: 'spki' })

describe('ed25519', () => {
  // RFC 8032, 7.1, test 3.
  const publicKey = 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'
  const signature =
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'
  const message = Buffer.from('af82', 'hex')

  it('verifies the vector of RFC 8032, with the key in each form', () => {
    const raw = Buffer.from(publicKey, 'hex')
    const key = publicKeyOf(publicKey, 'ed25519')
    const forms = [
      publicKey,
      publicKey.toUpperCase(),
      raw.toString('base64'),
      key?.export({ format: 'pem', type: 'spki' }).toString() ?? '',
      key?.export({ format: 'der', type: 'spki' }).toString('base64') ?? '',
    ]
    for (const form of forms) {
      const verify = verifying({ scheme: 'ed25519', header: 'sig', publicKeys: [form] })
      expect(verify({ headers: { sig: signature }, body: message })).not.toThrow()
      expect(verify({ headers: { sig: signature }, body: 'other' })).toThrow(
        'matches a configured public key',
      )
    }
  })

  it('accepts no character more or less in a signature, and no other time', () => {
    const pair = generateKeyPairSync('ed25519')
    const verify = verifying({
      scheme: 'ed25519',
      header: 'X-Signature-Ed25519',
      signed: '{timestamp}{body}',
      timestamp: { header: 'X-Signature-Timestamp' },
      publicKeys: [der(pair.publicKey).toString('hex')],
    })
    const right = sign(null, Buffer.from(`${NOW}{}`), pair.privateKey).toString('hex')
    const present = (signature: string, time = NOW) =>
      verify({
        headers: { 'x-signature-ed25519': signature, 'x-signature-timestamp': String(time) },
        body: '{}',
      })
    expect(present(right)).not.toThrow()
    expect(present(right.toUpperCase())).not.toThrow()
    for (const wrong of [`${right}00`, `${right}z`, ` ${right}`, right.slice(2), '', 'z'.repeat(128)])
      expect(present(wrong), wrong).toThrow(expect.objectContaining({ code: 'HG_INTAKE_UNAUTHENTICATED' }))
    expect(present(right, NOW + 1)).toThrow('matches a configured public key')
    expect(present(right, NOW - 301)).toThrow('too old')
  })
})

describe('ecdsa-p256', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const body = '{"id":1}'
  const settings = { scheme: 'ecdsa-p256', header: 'sig', encoding: 'base64' }

  it('verifies signatures in DER and as raw numbers, with the key in each form', () => {
    const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
    const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
    for (const publicKey of [der(pair.publicKey).toString('base64'), point.toString('hex')])
      for (const [signatureFormat, dsaEncoding] of [
        ['der', 'der'],
        ['raw', 'ieee-p1363'],
      ] as const) {
        const verify = verifying({ ...settings, signatureFormat, publicKeys: [publicKey] })
        const sig = sign('sha256', Buffer.from(body), { key: pair.privateKey, dsaEncoding }).toString(
          'base64',
        )
        expect(verify({ headers: { sig }, body })).not.toThrow()
        expect(verify({ headers: { sig }, body: '{"id":2}' })).toThrow('matches a configured public key')
        const junk = Buffer.concat([Buffer.from(sig, 'base64'), Buffer.of(0)]).toString('base64')
        expect(verify({ headers: { sig: junk }, body })).toThrow('matches a configured public key')
      }
  })

  it('does not verify as many signatures as a stranger can list', () => {
    const publicKeys = [der(pair.publicKey).toString('base64')]
    const right = sign('sha256', Buffer.from(body), pair.privateKey).toString('base64')
    const verify = verifying({ ...settings, listKey: 'v1', publicKeys })
    const present = (count: number) =>
      verify({ headers: { sig: `${'v1=AA==,'.repeat(count)}v1=${right}` }, body })
    expect(present(15)).not.toThrow()
    expect(present(16)).toThrow('The header sig has more than 16 signatures.')
  })

  it('takes no key of another kind or curve', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey
    const ed = generateKeyPairSync('ed25519').publicKey
    for (const key of [p384, ed]) {
      expect(publicKeyOf(der(key).toString('base64'), 'ecdsa-p256')).toBeUndefined()
      expect(
        publicKeyOf(key.export({ format: 'pem', type: 'spki' }).toString(), 'ecdsa-p256'),
      ).toBeUndefined()
    }
    for (const text of ['', 'abc', '-----BEGIN', 'zz'.repeat(32), '00'.repeat(65)])
      expect(publicKeyOf(text, 'ecdsa-p256')).toBeUndefined()
  })
})
