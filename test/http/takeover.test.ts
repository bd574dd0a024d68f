import { describe, expect, it } from 'vitest'
import { rawConnection } from '../helpers/raw-connection.js'
import { echo, held, listen, ok } from './setup.js'

const head = (length: number) => `POST /in HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`

describe('listener: a path that another source takes over', () => {
  it('the next source of a pipeline takes a path over at once, and the old one finishes its requests', async () => {
    const { handler } = echo({ handle: async ({ body }) => ok(`old ${body}`) })
    const { listener, http, port, post } = await listen(handler)
    const slow = await rawConnection(port)
    slow.send(`${head(4)}sl`)
    await slow.until(() => true)
    expect((await post('/in', 'first')).text).toBe('old first')
    listener.bind('orders', () => {}).serve('/in', echo({ handle: async () => ok('new') }).handler)
    expect((await post('/in', 'b')).text).toBe('new')
    let withdrawn = false
    const withdraw = http.withdraw().then(() => {
      withdrawn = true
    })
    expect((await post('/in', 'c')).text).toBe('new')
    expect(withdrawn).toBe(false)
    slow.send('ow')
    expect(await slow.until((text) => text.includes('old slow'))).toContain('200 OK')
    await withdraw
  })

  it('a withdrawn path does not exist for new requests, and earlier ones get their responses', async () => {
    const { handler, waiting } = held()
    const { http, post } = await listen(handler)
    const early = post('/in', 'a')
    while (waiting.length === 0) await new Promise((done) => setImmediate(done))
    const withdraw = http.withdraw()
    expect((await post('/in', 'b')).status).toBe(404)
    waiting[0]?.(ok('late'))
    await withdraw
    expect((await early).text).toBe('late')
  })

  it('a sender that leaves in the middle of its body does not block the withdrawal of a path', async () => {
    const { http, port, post } = await listen(echo().handler)
    const slow = await rawConnection(port)
    slow.send(`${head(4)}sl`)
    await post('/in', 'a')
    const withdraw = http.withdraw()
    slow.cut()
    await withdraw
  })

  it('two pipelines exchange their paths, and get their own back if that fails', async () => {
    const { listener, http, post } = await listen(echo({ handle: async () => ok('orders') }).handler)
    const other = listener.bind('other', () => {})
    other.serve('/out', echo({ handle: async () => ok('other') }).handler)
    for (const paths of [http, other]) paths.offer()
    const ordersNext = listener.bind('orders', () => {})
    ordersNext.serve('/out', echo({ handle: async () => ok('orders') }).handler)
    const otherNext = listener.bind('other', () => {})
    otherNext.serve('/in', echo({ handle: async () => ok('other') }).handler)
    expect([(await post('/in', '')).text, (await post('/out', '')).text]).toEqual(['other', 'orders'])
    await Promise.all([ordersNext.withdraw(), otherNext.withdraw()])
    expect([(await post('/in', '')).text, (await post('/out', '')).text]).toEqual(['orders', 'other'])
  })
})
