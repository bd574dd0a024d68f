import { type TSchema, Type } from 'typebox'
import { HeadgateError } from '../../../src/contract/errors.js'
import {
  type AnyDefinition,
  type Attempt,
  type Committed,
  definePlugin,
  type Event,
  type Intake,
  pass,
  type SinkRecord,
  type Verdict,
} from '../../../src/contract/index.js'
import { parseBody } from '../../../src/lib/json/body.js'
import { pointer } from '../../../src/lib/json/pointer.js'
import { MemoryInbox } from '../kafka/memory-inbox.js'

/** A sink, a router and a post-commit stage in memory, for tests of the engine between them. */
export interface InlinePlugins {
  readonly definitions: readonly AnyDefinition[]
  readonly written: SinkRecord[]
  readonly acknowledged: Committed[]
  /** Passes an event to the pipeline, as a source would. */
  intake: Intake
  /** The behaviour of each stage for the next events; tests replace these. */
  apply(event: Event): Verdict | Promise<Verdict>
  send(record: SinkRecord): Promise<void>
  acknowledge(committed: Committed): Promise<Attempt>
  notReady: string[]
  /** Of a pipeline that has one. */
  readonly inbox: MemoryInbox
  /** Starts and stops, in their order. */
  readonly order: string[]
}

export function inlinePlugins(): InlinePlugins {
  const lifecycle = (name: string) => ({
    start: async () => void inline.order.push(`start ${name}`),
    stop: async () => void inline.order.push(`stop ${name}`),
  })
  const inbox = new MemoryInbox(4)
  inbox.isPaced = true
  const inline: InlinePlugins = {
    definitions: [],
    inbox,
    written: [],
    acknowledged: [],
    order: [],
    notReady: [],
    intake: () => Promise.reject(new Error('the source has not been started')),
    apply: (event) => pass({ ...event, route: { name: 'all', target: { topic: 'events', partition: 0 } } }),
    send: async () => {},
    acknowledge: async () => ({ kind: 'acknowledged' }),
  }
  const closed = (properties: { [name: string]: TSchema }) =>
    Type.Object(properties, { additionalProperties: false })
  const source = definePlugin({
    kind: 'source',
    name: 'inline',
    summary: 'Takes what a test hands it.',
    config: closed({}),
    maxInFlight: () => 500,
    create: () => ({
      ...lifecycle('source'),
      async start(intake) {
        inline.order.push('start source')
        inline.intake = intake
      },
      respond: () => ({ status: 200, headers: {}, body: '' }),
    }),
  })
  const router = definePlugin({
    kind: 'transform',
    name: 'everything',
    summary: 'Asks the test what to do.',
    config: closed({
      size: Type.Integer({ minimum: 1, default: 3, description: 'Some number.' }),
      reads: Type.Array(Type.String(), { default: [], description: 'Parts of the request.' }),
    }),
    routes: true,
    reads: (config) =>
      (config['reads'] as readonly string[]).map((part, index) => ({ at: `/reads/${index}`, part })),
    create: () => ({ ...lifecycle('transform'), apply: (event) => inline.apply(event) }),
  })
  const sink = definePlugin({
    kind: 'sink',
    name: 'memory',
    summary: 'Keeps records in memory.',
    config: closed({}),
    inbox: true,
    create: () => ({
      ...lifecycle('sink'),
      notReady: () => inline.notReady,
      expect: () => {},
      key: ({ id }) => Buffer.from(id),
      inbox: () => inbox.offered,
      record(event, headers) {
        const value = event.body.slice(pointer('/payload'))
        if (value === undefined) throw new HeadgateError('HG_RECORD_FIELD_MISSING', 'There is no payload.')
        return {
          target: event.route?.target ?? { topic: 'none' },
          key: Buffer.from(event.id),
          value,
          headers,
        }
      },
      async send(record) {
        await inline.send(record)
        inline.written.push(record)
        return {
          topic: record.target.topic,
          partition: record.target.partition ?? 0,
          offset: inline.written.length - 1,
        }
      },
    }),
  })
  const postCommit = definePlugin({
    kind: 'post-commit',
    name: 'tell',
    summary: 'Tells the test.',
    config: closed({}),
    create: () => ({
      ...lifecycle('post-commit'),
      async acknowledge(committed) {
        const attempt = await inline.acknowledge(committed)
        if (attempt.kind === 'acknowledged') inline.acknowledged.push(committed)
        return attempt
      },
    }),
  })
  return Object.assign(inline, { definitions: [source, router, sink, postCommit] })
}

/** An event as a source makes it. */
export const eventOf = (id: string, json: unknown = { payload: { id } }): Event => ({
  id,
  body: parseBody(Buffer.from(JSON.stringify(json)), 64),
  receivedAt: Date.now(),
})

/** A config of one pipeline of the inline plugins. */
export const inlineConfig = (settings: object = {}): string =>
  JSON.stringify({
    pipelines: {
      orders: {
        source: { plugin: 'inline' },
        transforms: [{ plugin: 'everything' }],
        sink: { plugin: 'memory' },
        postCommit: [{ plugin: 'tell' }],
        ...settings,
      },
    },
  })
