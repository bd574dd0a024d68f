import type { Event, RecordHeader, SinkRecord } from '../contract/index.js'

/** A record as a worker hands it over, beside the bytes of its event. */
export interface RecordMessage {
  /** Absent where it is that of the route. */
  readonly target?: SinkRecord['target']
  /** Names and values in turns: half as long to read as an object for each. */
  readonly headers: readonly string[]
  readonly keyed: boolean
  /** Where in the body the value is; undefined where it has bytes of its own. */
  readonly value?: readonly [start: number, end: number]
}

export function toRecordMessage(
  { target, key, value, headers }: SinkRecord,
  body: Buffer,
  route: Event['route'],
): { readonly record: RecordMessage; readonly parts: readonly Buffer[] } {
  const parts = key === null ? [body] : [body, key]
  const start = value.byteOffset - body.byteOffset
  const end = start + value.length
  const within = value.buffer === body.buffer && start >= 0 && end <= body.length
  const record = {
    headers: headers.flatMap(({ name, value }) => [name, value]),
    keyed: key !== null,
    ...(target !== route?.target && { target }),
  }
  return within ? { record: { ...record, value: [start, end] }, parts } : { record, parts: [...parts, value] }
}

export function toRecord(
  { target, headers, keyed, value }: RecordMessage,
  parts: readonly Buffer[],
  route: Event['route'],
): SinkRecord {
  const [body, second, third] = parts as readonly [Buffer, Buffer, Buffer]
  const own = keyed ? third : second
  return {
    target: target ?? (route as NonNullable<typeof route>).target,
    key: keyed ? second : null,
    value: value === undefined ? own : body.subarray(...value),
    headers: toHeaders(headers),
  }
}

function toHeaders(texts: readonly string[]): RecordHeader[] {
  const headers: RecordHeader[] = []
  for (let at = 0; at < texts.length; at += 2)
    headers.push({ name: texts[at] as string, value: texts[at + 1] as string })
  return headers
}
