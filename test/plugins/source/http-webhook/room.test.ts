import { expect, test } from 'vitest'
import { Room } from '../../../../src/plugins/source/http-webhook/room.js'

test('a request is refused while the room is full', () => {
  const room = new Room(2)
  room.begin()
  room.require()
  room.begin()
  expect(() => room.require()).toThrow('2 events are in flight; the source allows no more.')
  room.leave()
  expect(() => room.require()).not.toThrow()
})

test('a worker has its share of the room, at least one', () => {
  const room = new Room(3, 4)
  room.begin()
  expect(() => room.require()).toThrow('1 events are in flight in this worker; the source allows no more.')
})

test('after its end a room refuses requests, lets a batch go on, and is empty after the last event', async () => {
  const room = new Room(2)
  room.begin()
  let isEmpty = false
  const closed = room.close().then(() => {
    isEmpty = true
  })
  expect(() => room.require()).toThrow('The pipeline is stopping and accepts no more events.')
  expect(room.enter()).toBe(true)
  expect(room.enter()).toBe(false)
  room.leave()
  await Promise.resolve()
  expect(isEmpty).toBe(false)
  room.leave()
  await closed
  expect(isEmpty).toBe(true)
})
