/** Properties with which librdkafka loads a library or runs a program: who may write a config could run code with them. */
const CODE_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['plugin.library.paths', 'it loads libraries'],
  ['ssl.engine.location', 'it loads a library'],
  ['ssl.engine.id', 'it loads a library'],
  ['ssl.providers', 'it loads libraries'],
  ['sasl.kerberos.kinit.cmd', 'it runs a command'],
])

/** Providers that come with OpenSSL. A name with a slash in it would be the path of a library. */
const OWN_PROVIDERS = /^(?:default|legacy|base|fips|null)(?:\s*,\s*(?:default|legacy|base|fips|null))*$/

/** Why a property is a danger; undefined if it is none. */
export const dangerOf = (name: string, value: string): string | undefined =>
  name === 'ssl.providers' && OWN_PROVIDERS.test(value) ? undefined : CODE_PROPERTIES.get(name)
