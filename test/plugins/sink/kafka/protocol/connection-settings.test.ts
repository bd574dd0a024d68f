import { expect, test } from 'vitest'
import { clientConfig } from '../../../../../src/plugins/sink/kafka/properties.js'
import { connectionSettings } from '../../../../../src/plugins/sink/kafka/protocol/connection-settings.js'
import { temporaryDirectory } from '../../../../helpers/context.js'

const of = (properties: { readonly [name: string]: string }) =>
  connectionSettings(clientConfig('k:9092', properties, 'test'))

test('without TLS and SASL there is nothing to do but to give a name', () => {
  expect(of({})).toEqual({ clientId: 'test' })
})

test('the name is the client id of the config', () => {
  expect(of({ 'client.id': 'billing' })).toEqual({ clientId: 'billing' })
})

test('certificates come from the file as librdkafka reads them, or from the property itself', () => {
  const folder = temporaryDirectory({ 'ca.pem': 'CA', 'key.pem': 'KEY' })
  const security = of({
    'security.protocol': 'SSL',
    'ssl.ca.location': `${folder}/ca.pem`,
    'ssl.key.location': `${folder}/key.pem`,
    'ssl.key.password': 'secret',
    'ssl.certificate.pem': 'CERTIFICATE',
  })
  expect(security).toEqual({
    clientId: 'test',
    tls: {
      ca: Buffer.from('CA'),
      key: Buffer.from('KEY'),
      cert: 'CERTIFICATE',
      passphrase: 'secret',
      rejectUnauthorized: true,
    },
  })
})

test('certificates and names are verified unless the config says otherwise', () => {
  const relaxed = of({
    'security.protocol': 'sasl_ssl',
    'sasl.mechanism': 'PLAIN',
    'sasl.username': 'u',
    'sasl.password': 'p',
    'enable.ssl.certificate.verification': 'false',
    'ssl.endpoint.identification.algorithm': 'none',
  })
  expect(relaxed).toMatchObject({
    tls: { rejectUnauthorized: false, checkServerIdentity: expect.any(Function) },
    sasl: { mechanism: 'PLAIN', username: 'u', password: 'p' },
  })
  const strict = of({ 'security.protocol': 'ssl' })
  expect(strict).toMatchObject({ tls: { rejectUnauthorized: true } })
  expect(strict).not.toHaveProperty('tls.checkServerIdentity')
})

test.each([
  [
    'a mechanism that is not ours',
    { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'OAUTHBEARER' },
    /OAUTHBEARER/,
  ],
  ['Kerberos, the mechanism of librdkafka', { 'security.protocol': 'SASL_PLAINTEXT' }, /GSSAPI/],
  [
    'a list of revoked certificates',
    { 'security.protocol': 'SSL', 'ssl.crl.location': 'x' },
    /ssl\.crl\.location/,
  ],
  ['a file that is not there', { 'security.protocol': 'SSL', 'ssl.ca.location': '/nowhere' }, /ENOENT/],
])('%s leaves the connection to librdkafka', (_what, properties, why) => {
  expect(of(properties)).toMatch(why)
})
