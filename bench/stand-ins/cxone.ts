/**
 * CXone in a process of its own: issues tokens and accepts acknowledgements, unless told to refuse them. Unlike the
 * simulator of the sandbox, it only counts them: millions of ids would not fit into memory, and it shares the machine
 * with the measured programs.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenEndpoint } from '../../src/sandbox/cxone-tokens.js'
import { serveRequests } from '../programs/child.js'
import { variable } from '../programs/variable.js'

const TOKEN_LIFETIME = 10 * 3600
const ACKNOWLEDGE = /^\/api\/v2\/data\/actions\/[^/]+\/acknowledge$/

const credentials = { clientId: variable('CXONE_CLIENT_ID'), clientSecret: variable('CXONE_CLIENT_SECRET') }
const tokens = new TokenEndpoint(credentials, TOKEN_LIFETIME)
let acknowledged = 0
let refusing = false

export type CxoneAsk = 'acknowledged' | 'refuse' | 'take'

const server = createServer((request, response) => {
  if (request.url === '/oauth/token') {
    tokens.respond(request).then(({ status, body, headers }) => respond(response, status, body, headers))
    return
  }
  request.resume()
  if (!ACKNOWLEDGE.test(request.url ?? '')) return respond(response, 404, { error: 'not_found' })
  if (!tokens.valid(request.headers.authorization)) return respond(response, 401, { error: 'invalid_token' })
  if (refusing) return respond(response, 503, { error: 'unavailable' })
  acknowledged++
  respond(response, 200, { status: 'acknowledged' })
})

function respond(
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

serveRequests<CxoneAsk>((ask) => {
  if (ask !== 'acknowledged') refusing = ask === 'refuse'
  return acknowledged
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send?.({ url: `http://127.0.0.1:${port}` })
})
