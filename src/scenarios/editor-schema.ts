import { ScenarioFile } from './format.js'

/** The JSON Schema of scenario files for editors: the declaration that validates them. */
export function scenarioSchema(): object {
  const { properties, ...file } = ScenarioFile
  const { scenarios } = properties
  const oneBody = ['event', 'file', 'text'].map((name) => ({ required: [name] }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headgate: scenarios',
    allowComments: true,
    allowTrailingCommas: true,
    ...file,
    properties: { ...properties, scenarios: { ...scenarios, items: { ...scenarios.items, oneOf: oneBody } } },
  }
}
