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
        'The effect of the keyword "format". "assert": a text that does not have the format, for instance "date-time", is a violation, as most authors of schemas expect. "annotate": no effect, which is the default of the drafts. Formats that the drafts do not define are never checked.',
    }),
  },
  { additionalProperties: false },
)

export type Settings = Static<typeof Settings>
