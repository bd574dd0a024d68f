import { prettyLines } from '../lib/json/pretty-lines.js'
import type { Json, RecordedScenario } from './record.js'

const WIDTH = 110

/** The text of a scenario file. `schema`: the path from the file to its editor schema, where there is one. */
export function scenarioFile(scenarios: readonly RecordedScenario[], schema: string | undefined): string {
  const pipelines = [...new Set(scenarios.map(({ pipeline }) => pipeline))]
  const several = pipelines.length > 1
  const members = [
    ...(schema === undefined ? [] : [member('  ', '$schema', JSON.stringify(schema))]),
    ...(several ? [] : [member('  ', 'pipeline', JSON.stringify(pipelines[0]))]),
    `  "scenarios": [\n${scenarios.map((scenario) => element(scenario, several)).join(',\n')}\n  ]`,
  ]
  return `{\n${members.join(',\n')}\n}\n`
}

function element({ name, pipeline, body, expect }: RecordedScenario, several: boolean): string {
  const indent = '      '
  const expected = Object.entries(expect).map(([name, json]) => member(`${indent}  `, name, json))
  const members = [
    member(indent, 'name', JSON.stringify(name)),
    ...(several ? [member(indent, 'pipeline', JSON.stringify(pipeline))] : []),
    'event' in body ? member(indent, 'event', body.event) : member(indent, 'text', JSON.stringify(body.text)),
    `${indent}"expect": {\n${expected.join(',\n')}\n${indent}}`,
  ]
  return `    {\n${members.join(',\n')}\n    }`
}

/** On one line where it fits, otherwise a value a line. */
function member(indent: string, name: string, json: Json): string {
  const lines = prettyLines(json).map(({ text }) => text)
  const start = `${indent}${JSON.stringify(name)}: `
  const oneLine = `${start}${lines.map((line) => line.trim()).join(' ')}`
  return oneLine.length <= WIDTH ? oneLine : `${start}${lines.join(`\n${indent}`)}`
}
