import rdkafka from 'node-rdkafka'
import type { ConfigProblem } from '../../../contract/index.js'
import type { Properties } from './properties.js'

/** The feature of librdkafka that each mechanism needs, as `builtin.features` names it. */
const MECHANISMS: ReadonlyMap<string, string> = new Map([
  ['PLAIN', 'sasl_plain'],
  ['SCRAM-SHA-256', 'sasl_scram'],
  ['SCRAM-SHA-512', 'sasl_scram'],
  ['OAUTHBEARER', 'sasl_oauthbearer'],
  ['GSSAPI', 'sasl_gssapi'],
])

const MISSING_LIBRARY: ReadonlyMap<string, string> = new Map([
  ['GSSAPI', 'Install libsasl2-dev and run "npm rebuild node-rdkafka", or use another mechanism.'],
])

/** What this build of librdkafka can do. */
const has = (feature: string): boolean => rdkafka.features.includes(feature)

/** What is wrong with how the client is to log in, as far as the properties tell. */
export function* loginProblems(properties: Properties): Generator<ConfigProblem> {
  const protocol = String(properties['security.protocol'] ?? 'plaintext')
  if (!/^sasl_/i.test(protocol)) return
  const name = 'sasl.mechanisms' in properties ? 'sasl.mechanisms' : 'sasl.mechanism'
  const given = properties[name]
  // GSSAPI is the default of librdkafka.
  const mechanism = given === undefined ? 'GSSAPI' : String(given)
  const at = given === undefined ? '/properties/security.protocol' : `/properties/${name}`
  const possible = [...MECHANISMS].filter(([, feature]) => has(feature)).map(([name]) => name)
  const expected = possible.join(', ')
  const feature = MECHANISMS.get(mechanism)
  if (given === undefined && !has('sasl_gssapi')) {
    const message = `${protocol} needs "sasl.mechanism", which is not set.`
    yield { at, code: 'HG_CONFIG_VALUE', message, expected: `"sasl.mechanism" of ${expected}` }
  } else if (feature === undefined) {
    const message = `There is no SASL mechanism ${JSON.stringify(mechanism)}.`
    yield { at, code: 'HG_CONFIG_VALUE', message, expected }
  } else if (!has(feature)) {
    const suggestion = MISSING_LIBRARY.get(mechanism)
    const message = `The Kafka client of this installation was built without ${mechanism}.`
    yield { at, code: 'HG_CONFIG_VALUE', message, expected, ...(suggestion && { suggestion }) }
  } else yield* credentialProblems(mechanism, at, properties)
}

function* credentialProblems(
  mechanism: string,
  at: string,
  properties: Properties,
): Generator<ConfigProblem> {
  if (mechanism === 'OAUTHBEARER') {
    const isOidc = String(properties['sasl.oauthbearer.method'] ?? '').toLowerCase() === 'oidc'
    const isUnsecured = String(properties['enable.sasl.oauthbearer.unsecure.jwt'] ?? '') === 'true'
    if (isOidc || isUnsecured) return
    const message = 'OAUTHBEARER has nothing to get a token from.'
    const suggestion = has('oidc')
      ? undefined
      : 'The Kafka client of this installation was built without libcurl, which a token endpoint needs: install libcurl4-openssl-dev and run "npm rebuild node-rdkafka", or use another mechanism.'
    const expected = '"sasl.oauthbearer.method": "oidc" with "sasl.oauthbearer.token.endpoint.url"'
    yield { at, code: 'HG_CONFIG_VALUE', message, expected, ...(suggestion && { suggestion }) }
    return
  }
  if (mechanism === 'GSSAPI') return
  const missing = ['sasl.username', 'sasl.password'].filter((name) => String(properties[name] ?? '') === '')
  if (missing.length === 0) return
  const names = missing.map((name) => `"${name}"`).join(' and ')
  const message = `${mechanism} needs ${names}, which ${missing.length === 1 ? 'is' : 'are'} not set.`
  yield { at, code: 'HG_CONFIG_VALUE', message, expected: `${names} in \`properties\`` }
}
