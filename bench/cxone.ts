/**
 * CXone in a process of its own: tokens, and acknowledgements that succeed unless it is told to refuse them. Unlike the simulator of the sandbox it
 * only counts them, for it does not have the memory for millions of ids, and it shares the machine with what is measured.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTokenEndpoint } from '../src/sandbox/cxone-tokens.js'
import { answerAsks } from './child.js'
import { variable } from './variable.js'

const TOKEN_LIFETIME = 10 * 3600
const ACKNOWLEDGE = /^\/api\/v2\/data\/actions\/[^/]+\/acknowledge$/

const credentials = { clientId: variable('CXONE_CLIENT_ID'), clientSecret: variable('CXONE_CLIENT_SECRET') }
const tokens = createTokenEndpoint(credentials, TOKEN_LIFETIME)
let acknowledged = 0
let refusing = false

export type CxoneAsk = 'acknowledged' | 'refuse' | 'take'

const server = createServer((request, response) => {
  if (request.url === '/oauth/token') {
    tokens.respond(request).then(({ status, body, headers }) => answer(response, status, body, headers))
    return
  }
  request.resume()
  if (!ACKNOWLEDGE.test(request.url ?? '')) return answer(response, 404, { error: 'not_found' })
  if (!tokens.valid(request.headers.authorization)) return answer(response, 401, { error: 'invalid_token' })
  if (refusing) return answer(response, 503, { error: 'unavailable' })
  acknowledged++
  answer(response, 200, { status: 'acknowledged' })
})

function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: { readonly [name: string]: string } = {},
): void {
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers })
  response.end(text)
}

answerAsks<CxoneAsk>((ask) => {
  if (ask !== 'acknowledged') refusing = ask === 'refuse'
  return acknowledged
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send?.({ url: `http://127.0.0.1:${port}` })
})
