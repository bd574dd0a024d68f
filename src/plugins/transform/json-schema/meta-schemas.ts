import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Document, Draft, JsonSchema } from './documents.js'

const META_SCHEMAS: { readonly [draft in Draft]: string } = {
  '07': 'http://json-schema.org/draft-07/schema',
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
}

const documents = new Map<string, Document & { draft: Draft }>()

/** The schemas of schemas, which come with ajv. */
export function metaSchema(uri: string): (Document & { readonly draft: Draft }) | undefined {
  if (documents.size === 0) {
    add('07', new Ajv({ logger: false }))
    add('2020-12', new Ajv2020({ logger: false }))
  }
  return documents.get(uri)
}

export const metaSchemaOf = (draft: Draft): Document & { readonly draft: Draft } => {
  const found = metaSchema(META_SCHEMAS[draft])
  if (found === undefined) throw new Error(`ajv does not have ${META_SCHEMAS[draft]}`)
  return found
}

function add(draft: Draft, { schemas }: Ajv): void {
  for (const [key, environment] of Object.entries(schemas)) {
    const uri = key.replace(/#$/, '')
    const path = uri
    if (environment !== undefined && /^https?:/.test(uri))
      documents.set(uri, { path, uri, schema: environment.schema as JsonSchema, draft })
  }
}
