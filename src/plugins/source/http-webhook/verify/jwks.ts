import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import { HeadgateError } from '../../../../contract/errors.js'

/** The public keys of an issuer. Rejects with HG_INTAKE_KEYS if there are none to look at. */
export type IssuerKeys = JWTVerifyGetKey

/** Bytes; a set of a hundred RSA keys with certificates has less. */
const MAX_BYTES = 256 * 1024
/** Milliseconds. An issuer announces new keys hours before it uses them, so keys of this age are as good as new ones. */
const RENEW_AFTER = 600_000
const TIMEOUT = 5000
/** Milliseconds after a fetch before an unknown key causes another: a stranger can make up as many as requests. */
const COOLDOWN = 30_000
const COOLDOWN_AFTER_FAILURE = 1000

/** Loaded with the first token: no other scheme needs the library. */
const loadJose = () => import('jose')

export async function keysOfFile(text: string): Promise<IssuerKeys> {
  const { createLocalJWKSet } = await loadJose()
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet)
}

/**
 * Fetches the keys when they are first needed, when a token names an unknown one, and after ten minutes; a failure of the last
 * changes nothing.
 */
export async function keysAtUrl(url: string): Promise<IssuerKeys> {
  const { createRemoteJWKSet, customFetch } = await loadJose()
  let failedAt = Number.NEGATIVE_INFINITY
  let renewedAt = Number.NEGATIVE_INFINITY
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: TIMEOUT,
    cooldownDuration: COOLDOWN,
    // Keys do not expire by themselves: an outage of the issuer must not be one of the events.
    cacheMaxAge: Number.POSITIVE_INFINITY,
    async [customFetch](target: string, options: RequestInit) {
      if (performance.now() - failedAt < COOLDOWN_AFTER_FAILURE) throw unavailable(url, 'it failed just now')
      try {
        const text = await fetchKeySet(target, options)
        renewedAt = performance.now()
        return new Response(text)
      } catch (cause) {
        failedAt = performance.now()
        throw unavailable(url, (cause as Error).message, cause)
      }
    },
  })
  return (header, token) => {
    if (keys.jwks() !== undefined && performance.now() - renewedAt > RENEW_AFTER) {
      renewedAt = performance.now()
      keys.reload().catch(() => {})
    }
    return keys(header, token)
  }
}

const unavailable = (url: string, reason: string, cause?: unknown): HeadgateError =>
  new HeadgateError('HG_INTAKE_KEYS', `The keys at ${url} cannot be fetched: ${reason}.`, { cause })

/**
 * The body of a response with 200, if it is a key set and not too long. Checked here: the library would take the page of a
 * proxy for a fault of the token, and fetch it again for each one.
 */
async function fetchKeySet(url: string, options: RequestInit): Promise<string> {
  const { status, body } = await fetch(url, options)
  if (status !== 200) {
    await body?.cancel()
    throw new Error(`the status was ${status}`)
  }
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body ?? []) {
    size += piece.length
    if (size > MAX_BYTES) throw new Error(`the response is larger than ${MAX_BYTES} bytes`)
    pieces.push(piece)
  }
  const text = Buffer.concat(pieces).toString()
  if (keysIn(text) === undefined) throw new Error('the response is not a JSON Web Key Set')
  return text
}

/** The keys of a JSON Web Key Set; undefined if the text is none. */
export function keysIn(text: string): readonly object[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown }
    return Array.isArray(keys) && keys.every(isKey) ? keys : undefined
  } catch {
    return undefined
  }
}

const isKey = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
