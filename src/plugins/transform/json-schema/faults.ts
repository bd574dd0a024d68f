import { HeadgateError } from '../../../contract/errors.js'
import type { Document } from './documents.js'
import { type Place, type Resource, type Resources, resolveUri, splitFragment } from './resources.js'

export const fault = (message: string): HeadgateError =>
  new HeadgateError('HG_CONFIG_SCHEMA_FILE', `${message}.`)

const at = ({ document, pointer }: Place): string =>
  `The schema file ${document.path}${pointer === '' ? '' : ` at ${pointer}`}`

/** A reference that leads nowhere. `main`: the first file, whose folder is where all are looked for. */
export function missingTarget(
  place: Place,
  reference: string,
  base: Resource,
  resources: Resources,
  main: Document,
): HeadgateError {
  const uri = resolveUri(reference, base.uri)
  if (uri === undefined)
    return fault(`${at(place)} refers to ${JSON.stringify(reference)}, which is not a URI`)
  const [address, fragment] = splitFragment(uri)
  const target = resources.find(address)
  if (target !== undefined)
    return fault(`${at(place)} refers to "${target.root.document.path}#${fragment}", which does not exist`)
  const reason = /^file:/.test(address)
    ? 'which is not in the folder of the schema'
    : 'which no file in the folder of the schema has as its "$id"; nothing is fetched over the network'
  return fault(`${at(place)} refers to ${inFolder(address, main)}, ${reason}`)
}

/** Files by their names beside the main schema: where the project lies on this machine is nobody's business. */
function inFolder(uri: string, { uri: main }: Document): string {
  const folder = main.slice(0, main.lastIndexOf('/') + 1)
  return `"${uri.startsWith('file:') && uri.startsWith(folder) ? uri.slice(folder.length) : uri}"`
}

export const duplicateId = (place: Place, uri: string): HeadgateError =>
  fault(`${at(place)} has the "$id" "${uri}", which another schema has already`)

export function badPattern(place: Place, error: unknown): unknown {
  if (!(error instanceof HeadgateError)) return error
  return fault(`${at(place)} has a pattern that cannot be used: ${error.message.replace(/\.$/, '')}`)
}

export const endless = (place: Place): HeadgateError =>
  fault(
    `${at(place)} refers to itself without looking deeper into the event, so that a check would never end`,
  )
