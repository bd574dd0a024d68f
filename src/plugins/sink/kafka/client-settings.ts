import { createHash } from 'node:crypto'
import type { Properties } from './properties.js'

/** The settings in which one client differs from another; everything else in the config of a sink is the pipeline's own. */
export interface ClientSettings {
  readonly brokers: string
  readonly properties: Properties
}

/** The same text for the same settings. A digest, for there are passwords among them. */
export function clientKey({ brokers, properties }: ClientSettings): string {
  const addresses = brokers.split(',').map((address) => address.trim())
  const pairs = Object.entries(properties).map(([name, value]) => [name, String(value)])
  pairs.sort(([one = ''], [other = '']) => (one < other ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([addresses, pairs]))
    .digest('hex')
}
