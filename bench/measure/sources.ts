import type { RequestKind } from '../load/load-order.js'
import { rate, saturation } from '../load/loads.js'
import { BATCH, SIGNATURE_HEADER } from '../load/requests.js'
import type { Options } from '../options.js'
import type { Environment } from '../programs/environment.js'
import { type Changes, ownConfig } from '../programs/own-config.js'
import { headgate } from '../programs/programs.js'
import { type Comparison, compare, type Extent, USUAL_PLAN } from './compare.js'

interface Source {
  /** The name in tables. */
  readonly name: string
  readonly requests?: RequestKind
  readonly changes: Changes
}

export const FILE = 'bench/plugins.config.json'
const BASE: Source = { name: 'token, JSON', changes: {} }
const OTHERS: readonly Source[] = [
  {
    name: 'HMAC, JSON',
    requests: 'signed',
    changes: {
      source: {
        verify: { scheme: 'hmac', header: SIGNATURE_HEADER, secrets: ['${env:WEBHOOK_TOKEN}'] },
      },
    },
  },
  {
    name: 'token, form',
    requests: 'form',
    changes: {
      source: { body: { formats: ['form'] } },
      schema: 'bench/form.schema.json',
      // No field of a form can have the others as its parts.
      payload: '',
    },
  },
  { name: `token, batches of ${BATCH}`, requests: 'batch', changes: { source: { split: {} } } },
]
/** How senders send the same event; the others are compared with the first. */
export const SOURCES = [BASE, ...OTHERS]

/** The cost of a signature, of a form, and of an event in a batch. */
export async function measureSources(
  options: Extent & Pick<Options, 'profile'>,
  environment: Environment,
): Promise<Comparison> {
  const { seconds, inFlight, profile } = options
  const sources = SOURCES.map((source) => ({ ...source, own: ownConfig(FILE, source.changes) }))
  try {
    return await compare(
      sources.map(({ name, requests, own }) => headgate({ name, requests, config: own.config, profile })),
      OTHERS.map(({ name }) => [name, BASE.name]),
      { ...USUAL_PLAN, loads: [saturation(seconds, inFlight), rate(seconds, 1000)] },
      options,
      environment,
    )
  } finally {
    for (const { own } of sources) own.remove()
  }
}
