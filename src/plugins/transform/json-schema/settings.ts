import type { Static } from 'typebox'
import { Type } from '../../../lib/json/pointer.js'

export const Settings = Type.Object(
  {
    schema: Type.String({
      format: 'path',
      expected: 'the path of a JSON Schema file, such as "./schemas/order.schema.json"',
      description:
        'JSON Schema file, relative to the config file: draft 07 or 2020-12, as its "$schema" says (2020-12 where it says nothing). It may refer to other files of its folder.',
    }),
    formats: Type.Union([Type.Literal('assert'), Type.Literal('annotate')], {
      default: 'assert',
      expected: '"assert" or "annotate"',
      description:
        'What the keyword "format" does. "assert": a text that is no date-time where the schema says "format": "date-time" is a violation, as most people mean it. "annotate": nothing, which is what the drafts say where an application does not say otherwise. Formats that the drafts do not define are never checked.',
    }),
  },
  { additionalProperties: false },
)

export type Settings = Static<typeof Settings>
