import type {
  HttpHandler,
  HttpRequest,
  Intake,
  LoggedRecord,
  RecordSource,
  Source,
} from '../contract/index.js'

/** The header of a request in a dry run that stands for the key of a record. */
const KEY = 'key'

/** Takes a request for a record of the first topic: its body for the value, its headers for those of the record. */
export function recordHandler(
  { topics, receive }: RecordSource,
  { respond }: Pick<Source, 'respond'>,
  intake: Intake,
): HttpHandler {
  const never = () => Promise.reject(new Error('a dry run has no limits'))
  return {
    methods: ['POST'],
    maxBodyBytes: Number.POSITIVE_INFINITY,
    head: () => undefined,
    handle: async (request) => respond(await intake(() => receive(recordOf(request, topics[0] ?? '')))),
    tooLarge: never,
    noMemory: never,
  }
}

function recordOf({ headers, body, receivedAt }: HttpRequest, topic: string): LoggedRecord {
  const header = (name: string): string | undefined => {
    const value = headers[name.toLowerCase()]
    return typeof value === 'string' ? value : value?.[0]
  }
  const key = header(KEY)
  return {
    topic,
    partition: 0,
    offset: 0,
    timestamp: receivedAt,
    key: key === undefined ? null : Buffer.from(key),
    value: body,
    header,
    headers: () => Object.keys(headers).map((name) => ({ name, value: header(name) ?? '' })),
  }
}
