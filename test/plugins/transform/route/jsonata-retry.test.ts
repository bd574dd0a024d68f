import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseBody } from '../../../../src/lib/json/body.js'
import { compileJsonata } from '../../../../src/plugins/transform/route/jsonata.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const SUM = '$sum(payload.items.(price * 2)) > 10'
const bodyOf = (value: unknown) => parseBody(Buffer.from(JSON.stringify(value)), 64)
const expensive = bodyOf({ payload: { items: [{ price: 5 }, { price: 1 }] } })
const stall = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds)

test('an event whose evaluation was held up is no bad data', async () => {
  const { matches } = compileJsonata(SUM)
  const all = Promise.all(Array.from({ length: 20 }, () => matches(expensive)))
  stall(1000)
  expect(await all).toEqual(Array.from({ length: 20 }, () => true))
})

test('an expression that always takes too long is given up after the second time', async () => {
  const { matches } = compileJsonata(SUM)
  let looks = 0
  vi.spyOn(Date, 'now').mockImplementation(() => (looks += 100))
  await expect(matches(expensive)).rejects.toMatchObject({ code: 'D1012' })
  vi.restoreAllMocks()
})

test('what fails for another reason is not tried again', async () => {
  const { matches } = compileJsonata('$sum(payload.items)')
  await expect(matches(bodyOf({ payload: { items: ['a'] } }))).rejects.toMatchObject({ code: 'T0412' })
})
