import { parse } from 'jsonc-parser'
import { editorSchema } from '../../config/editor-schema.js'
import { plugins } from '../../plugins/index.js'
import { ensuredBy } from '../../plugins/source/http-webhook/event-id.js'
import { isJsonBody } from '../../plugins/source/http-webhook/simulated-sender/body-text.js'
import { type ProvedRequest, written } from '../../plugins/source/http-webhook/simulated-sender/proof.js'
import { eventsOf, simulatedEvent } from '../../plugins/source/http-webhook/simulated-sender/request.js'
import { scenarioSchema } from '../../scenarios/format.js'
import { configText } from './config-text.js'
import { scenarioText } from './scenarios.js'
import type { Answers, Variable } from './senders.js'
import { sampleSecrets, sourceSettings } from './source-settings.js'

export interface NewFile {
  /** Relative to the folder of the config. */
  readonly path: string
  readonly text: string
  /** Never overwritten, not even with --force: it has secrets, or belongs to others too. */
  readonly kept?: true
  /** Readable for its owner only. */
  readonly secret?: true
}

export const CONFIG = 'plugins.config.json'
export const ENVIRONMENT = '.env'
const EVENT_SCHEMA = 'schemas/event.schema.json'

/** Everything that `headgate init` writes. The secrets are new ones at every call. */
export function newFiles(answers: Answers): readonly NewFile[] {
  const config = configText(answers, `./${EVENT_SCHEMA}`)
  return [
    { path: CONFIG, text: config },
    { path: EVENT_SCHEMA, text: json(eventSchema(answers)) },
    { path: 'scenarios/events.json', text: scenarioText(answers) },
    exampleFile(answers),
    { path: '.env.example', text: environmentText(answers, ({ example }) => example) },
    {
      path: ENVIRONMENT,
      text: environmentText(answers, ({ example, secret }) => secret?.generate() ?? example),
      kept: true,
      secret: true,
    },
    { path: '.gitignore', text: `${ENVIRONMENT}\n.headgate/\n`, kept: true },
    { path: 'schemas/plugins.config.schema.json', text: json(editorSchema(plugins, parse(config))) },
    { path: 'schemas/scenarios.schema.json', text: json(scenarioSchema()) },
  ]
}

/** A request of the sender, without its proof. */
export const exampleEvent = (answers: Answers): ProvedRequest =>
  written(simulatedEvent(answers.sender.event, sourceSettings(answers, sampleSecrets(answers)), 'example-1'))

/** The body of the example, as the sender sends it. */
export function exampleFile(answers: Answers): NewFile {
  const { headers, body } = exampleEvent(answers)
  if (isJsonBody(headers)) return { path: 'event.json', text: `${body}\n` }
  // A line feed at the end of a form belongs to its last value.
  return { path: body.startsWith('<') ? 'event.xml' : 'event.form', text: body }
}

/** The JSON Schema of the events: the event id, which has to be there, and the members that this sender always sends. */
function eventSchema(answers: Answers): object {
  const { required = {}, event } = answers.sender
  const { eventId, split } = sourceSettings(answers, sampleSecrets(answers))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Events; add the members that your rules read.',
    type: eventsOf(event.body, split).some(Array.isArray) ? 'array' : 'object',
    required: Object.keys(required),
    properties: required,
    allOf: [ensuredBy(eventId)],
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

/** The variables of the config, one a line, as a shell reads them. */
function environmentText({ brokers, sender }: Answers, value: (variable: Variable) => string): string {
  const kafka = {
    name: 'KAFKA_BROKERS',
    meaning: 'Addresses of Kafka, separated by commas.',
    example: brokers,
  }
  return [kafka, ...sender.variables]
    .map((variable) => `# ${variable.meaning}\n${variable.name}=${quoted(value(variable))}\n`)
    .join('\n')
}

/** A text as one word of a shell. */
export const quoted = (text: string): string =>
  /^[\w.,:/@%+=-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
