import { expect, test } from 'vitest'
import { createFaultLog, faultsAround } from '../../torture/fault-log.js'
import { deferred } from '../helpers/deferred.js'

test('a fault is noted while it lasts and when it is over, also where it fails', async () => {
  const log = createFaultLog()
  const { promise, reject } = deferred()
  const during = log.during('broker killed', 'broker 1 was killed', () => promise)
  expect(log.entries).toMatchObject([{ kind: 'broker killed', until: undefined }])
  reject(new Error('it did not start again'))
  await expect(during).rejects.toThrow('it did not start again')
  expect(log.entries[0]?.until).toBeGreaterThanOrEqual(log.entries[0]?.at ?? Number.NaN)
})

test('around a moment are the faults that had not ended before it and had begun by then', () => {
  const fault = (at: number, until: number | undefined) => ({ at, until, kind: 'kind', what: `${at}` })
  const faults = [fault(0, 9), fault(5, 10), fault(12, 15), fault(21, 22), fault(1, undefined)]
  expect(faultsAround(faults, 10, 20).map(({ what }) => what)).toEqual(['5', '12', '1'])
})
