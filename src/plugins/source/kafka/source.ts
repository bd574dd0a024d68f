import type {
  Event,
  HttpResponse,
  LoggedRecord,
  Outcome,
  RecordSource,
  Source,
} from '../../../contract/index.js'
import { parseBody } from '../../../lib/json/body.js'
import { eventId } from './event-id.js'
import type { Settings } from './settings.js'

/** The sink reads the topics, since its transactions commit the offsets; the source makes the events of the records. */
export class KafkaSource implements Source {
  readonly records: RecordSource

  constructor({ topics, id, start, maxDepth }: Settings) {
    const idOf = eventId(id)
    this.records = {
      topics,
      start: start === 'earliest' || start === 'latest' ? start : Date.parse(start),
      hasIds: id !== 'place',
      receive: (record: LoggedRecord): Event => {
        const body = parseBody(record.value, maxDepth)
        return { id: idOf(record, body), body, receivedAt: record.timestamp }
      },
    }
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  /** Nobody waits for it. */
  respond(outcome: Outcome): HttpResponse {
    const status = 'error' in outcome ? (outcome.kind === 'rejected' ? 422 : 503) : 200
    const { kind, id } = outcome
    return {
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, outcome: kind }),
    }
  }
}
