/**
 * A pipeline from a webhook at /in to Kafka, as a config has it: without rules, it routes every event to `otherwise`. `source`, `rules` and
 * `sink` are added to the settings of their stages, further members to those of the pipeline.
 */
export const webhookPipeline = ({
  source,
  rules = [],
  otherwise,
  sink,
  ...pipeline
}: {
  readonly source?: object
  readonly rules?: readonly object[]
  readonly otherwise: object
  readonly sink?: object
  readonly [member: string]: unknown
}) => ({
  source: {
    plugin: 'http-webhook',
    config: {
      path: '/in',
      eventId: '/id',
      verify: { scheme: 'bearer', tokens: ['${env:WEBHOOK_TOKEN}'] },
      ...source,
    },
  },
  transforms: [{ plugin: 'route', config: { rules, otherwise } }],
  sink: { plugin: 'kafka', config: { brokers: '${env:KAFKA_BROKERS}', ...sink } },
  ...pipeline,
})
