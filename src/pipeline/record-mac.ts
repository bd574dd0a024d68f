import { hash, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CheckedPipeline } from '../config/checked-pipeline.js'
import { declaredSecrets } from '../config/secrets.js'
import { HeadgateError } from '../contract/errors.js'

/**
 * Proves that this pipeline wrote a record: any client with write access to the topic can write our headers too. Computed from
 * the topic, the id of the event, the digest of its bytes, and the header with the parts of its request: a replay decides by
 * them, too.
 */
export interface RecordMac {
  /** Derived from a secret; it can be used for nothing but these proofs. */
  readonly key: string
  of(topic: string, id: string, digest: string, request?: string): string
}

/** 128 bits of SHA-256, as base64url. The hidden other half also prevents a length extension. */
const MAC_LENGTH = 22
const KEY_BYTES = 32
/** A digest has a fixed length, and topic and id have no line end, so that no two records have the same message. */
const DIGEST = /^[A-Za-z0-9_-]{43}$/

export function recordMac(key: string): RecordMac {
  return {
    key,
    // Node's HMAC takes six times as long, on the path of every event. The key has a fixed length.
    of(topic, id, digest, request) {
      const event = `${key}${digest}${topic}\n${id}`
      const message = request === undefined ? event : `${event}\n${request}`
      return hash('sha256', message, 'base64url').slice(0, MAC_LENGTH)
    },
  }
}

export const isDigest = (text: string): boolean => DIGEST.test(text)

/**
 * The key of a pipeline: from the key of the process, or else from the secrets in its own config. Anybody can
 * compute the key of a pipeline without secrets.
 */
export function macOf(checked: CheckedPipeline, processKey: string | undefined): RecordMac {
  const secret = processKey ?? JSON.stringify(secretsOf(checked))
  const key = hkdfSync('sha256', secret, '', `headgate record ${checked.name}`, KEY_BYTES)
  return recordMac(Buffer.from(key).toString('base64url'))
}

function secretsOf({ source, transforms, sink, postCommit }: CheckedPipeline): string[] {
  const stages = [source, ...transforms, sink, ...postCommit]
  return [...new Set(stages.flatMap(({ definition, config }) => declaredSecrets(definition, config)))].sort()
}

const SHORTEST_KEY = 16

/** Reads the key of the process from a file, without surrounding white space; undefined if no file is named. */
export function readRecordKey(path: string, cwd = process.cwd()): string | undefined {
  if (path === '') return undefined
  let key: string
  try {
    key = readFileSync(resolve(cwd, path), 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HeadgateError(
      'HG_RECORD_KEY',
      `Cannot read ${path}, the file that HEADGATE_RECORD_KEY_FILE names: ${code}.`,
    )
  }
  if (key.length >= SHORTEST_KEY) return key
  throw new HeadgateError(
    'HG_RECORD_KEY',
    `The key in ${path}, the file that HEADGATE_RECORD_KEY_FILE names, has ${key.length} characters. It needs at least ${SHORTEST_KEY}.`,
  )
}
