import type { IncomingMessage } from 'node:http'
import { type Answer, failure } from './answer.js'

const MOST_BYTES = 1024 * 1024

/** The JSON that was sent, undefined where nothing was; or an answer that refuses it. */
export async function readBody(
  request: IncomingMessage,
): Promise<{ readonly value: unknown } | { readonly refused: Answer }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MOST_BYTES)
      return {
        refused: failure(413, `The body is larger than ${MOST_BYTES} bytes.`, { connection: 'close' }),
      }
    chunks.push(chunk as Buffer)
  }
  if (bytes === 0) return { value: undefined }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) }
  } catch {
    return { refused: failure(400, 'The body is not JSON.') }
  }
}
