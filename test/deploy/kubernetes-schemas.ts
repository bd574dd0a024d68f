import { Ajv } from 'ajv'
import { type Manifest, read } from './read-deploy.js'

const { kinds, ...schemas } = JSON.parse(read('test/deploy/schemas/kubernetes.json'))
// `format` of Kubernetes is int32 and the like, which the type says already.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
ajv.addSchema(schemas, 'kubernetes')

/** Everything that the published schema of a kind, or of a part of one, refuses in `value`. */
export function faults(value: unknown, reference: string | undefined): unknown {
  if (reference === undefined) return 'There is no schema of this kind in test/deploy/schemas.'
  const check = ajv.compile({ $ref: `kubernetes${reference}` })
  return check(value) ? [] : check.errors
}

/** The same for a whole manifest. */
export const faultsOf = (manifest: Manifest): unknown => faults(manifest, kinds[manifest.kind])
