import type { Answers, Sender } from './senders.js'
import { idInBody, sampleSecrets, sourceSettings, writtenSource } from './source-settings.js'

/** The config file, with comments for its reader. */
export function configText(answers: Answers, eventSchema: string): string {
  const { sender, topic, deadLetterTopic } = answers
  const { postCommit = [] } = sender
  const key = idInBody(sourceSettings(answers, sampleSecrets(answers)))
  const stages = {
    source: { plugin: 'http-webhook', config: writtenSource(answers) },
    sink: { plugin: 'kafka', config: { brokers: '${env:KAFKA_BROKERS}', ...(key !== undefined && { key }) } },
  }
  return `{
  "$schema": "./schemas/plugins.config.schema.json",
  "pipelines": {
    ${JSON.stringify(pipelineName(topic))}: {
      "source": ${indented(stages.source)},
      "transforms": [
        // Events that this schema does not describe become dead letters.
        { "plugin": "json-schema", "config": { "schema": ${JSON.stringify(eventSchema)} }, "onError": "dead-letter" },
        {
          "plugin": "route",
          "config": {
            // The first rule that matches decides. For example:
            // { "name": "eu-west", "when": { "jsonata": "payload.region = 'eu-west'" }, "to": { "topic": ${JSON.stringify(`${topic}.eu`)} } }
            "rules": [],
            // Without a partition, the hash of the key decides, as in Kafka's Java client.
            "otherwise": { "topic": ${JSON.stringify(topic)} }
          }
        }
      ],
      "sink": ${indented(stages.sink)},
${redeliveryText(sender)}${postCommit.length === 0 ? '' : `      "postCommit": ${indented(postCommit)},\n`}      "deadLetter": { "topic": ${JSON.stringify(deadLetterTopic)} }
    }
  }
}
`
}

const redeliveryText = ({ redelivery }: Sender): string =>
  redelivery === undefined
    ? ''
    : `      // Each event has an id of its own; one that comes again with other bytes is the same event.
      "redelivery": { "by": "${redelivery}" },
`

const indented = (value: object): string =>
  JSON.stringify(value, undefined, 2).replaceAll('\n', `\n${' '.repeat(6)}`)

/** Pipelines have lower-case names of at most 63 characters, which begin with a letter or a digit. */
const pipelineName = (topic: string): string =>
  topic
    .toLowerCase()
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63) || 'events'
