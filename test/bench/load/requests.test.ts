import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { prepareRequests } from '../../../bench/load/requests.js'

const order = {
  ports: [1],
  token: 'secret',
  name: 'run0',
  paths: ['/one', '/two'],
  payloads: ['"kind":"a"', '"kind":"b"'],
  bodyBytes: 300,
  seconds: 1,
  connections: 1,
}

const parts = (request: Buffer) => {
  const [head = '', body = ''] = request.toString().split('\r\n\r\n')
  return { head, body, event: JSON.parse(body) }
}

test('a request has the bytes that it says, the token, and an id of its own', () => {
  const requests = prepareRequests(order, 0)
  const { head, body, event } = parts(requests.next(7))
  expect(body).toHaveLength(300)
  expect(head).toMatch(/^POST \/one HTTP\/1\.1\r\n/)
  expect(head).toContain('\r\nAuthorization: Bearer secret\r\n')
  expect(head).toContain('\r\nContent-Length: 300')
  expect(event.dataActionId).toBe('run0-0000000007')
  expect(parts(requests.next(8)).event.dataActionId).toBe('run0-0000000008')
})

test('a signed request has the HMAC of the bytes that it sends', () => {
  const requests = prepareRequests({ ...order, requests: 'signed' }, 0)
  for (const event of [7, 8]) {
    const { head, body } = parts(requests.next(event))
    const signature = createHmac('sha256', 'secret').update(body).digest('hex')
    expect(head).toContain(`\r\nX-Signature: ${signature}`)
    expect(head).not.toContain('Authorization')
  }
})

test('a form has the fields of the event, and as many bytes', () => {
  const requests = prepareRequests({ ...order, requests: 'form' }, 0)
  const [head = '', body = ''] = requests.next(7).toString().split('\r\n\r\n')
  expect(body).toHaveLength(300)
  expect(head).toContain('\r\nContent-Type: application/x-www-form-urlencoded')
  expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
    dataActionId: 'run0-0000000007',
    timestamp: '2025-06-01T08:00:00.000Z',
    kind: 'a',
    text: expect.stringMatching(/^xxxxxxx xxxxxxx /),
  })
})

test('a batch has ten events of the size of one, with the payloads in alternation, and no id comes twice', () => {
  const requests = prepareRequests({ ...order, requests: 'batch' }, 0)
  const batches = [3, 4].map((number) => {
    const [head = '', body = ''] = requests.next(number).toString().split('\r\n\r\n')
    expect(head).toContain(`\r\nContent-Length: ${body.length}`)
    return JSON.parse(body) as { dataActionId: string; payload: { kind: string } }[]
  })
  const [first = [], second = []] = batches
  expect(first.map((item) => JSON.stringify(item).length)).toEqual(Array(10).fill(300))
  expect(first.map(({ payload }) => payload.kind).join('')).toBe('ababababab')
  expect(second.map(({ payload }) => payload.kind).join('')).toBe('bababababa')
  const ids = Array.from({ length: 20 }, (_, index) => `run0-${String(30 + index).padStart(10, '0')}`)
  expect([...first, ...second].map(({ dataActionId }) => dataActionId)).toEqual(ids)
})

test('all payloads come to all paths, and connections begin at different ones', () => {
  const kinds = (offset: number) => {
    const requests = prepareRequests(order, offset)
    return Array.from({ length: 4 }, (_, event) => {
      const {
        head,
        event: { payload },
      } = parts(requests.next(event))
      return `${head.split(' ')[1]} ${payload.kind}`
    })
  }
  expect(kinds(0)).toEqual(['/one a', '/one b', '/two a', '/two b'])
  expect(kinds(1)[0]).toBe('/one b')
})

test.each([undefined, 'form'] as const)(
  'a body (%s) that has no room for its payload is refused',
  (requests) => {
    expect(() => prepareRequests({ ...order, requests, bodyBytes: 80 }, 0)).toThrow(/80 bytes is too small/)
  },
)
