import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  isStateInUse,
  openStateDirectory,
  requestState,
  type StateDirectory,
} from '../../src/ledger/state-directory.js'
import { takeOverState, takeoverProblem } from '../../src/process/takeover.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'

const { log } = testContext()
const nobody = { within: 1000, onRequest: () => {} }

/** An open directory, and the processes that have requested it. */
async function opened(within = 1000) {
  const path = temporaryDirectory()
  const asked: number[] = []
  const state: StateDirectory = await openStateDirectory(path, log, {
    within,
    onRequest: (pid) => asked.push(pid),
  })
  let closed: Promise<void> | undefined
  const close = () => (closed ??= state.close())
  onTestFinished(close)
  return { path, asked, close }
}

/** A connection to the lock from another program than Headgate. */
async function lockConnection(path: string): Promise<Socket> {
  const connection = connect(join(path, 'lock'))
  onTestFinished(() => void connection.destroy())
  await once(connection, 'connect')
  return connection
}

test('a directory that no process has is opened, and can be requested from then on', async () => {
  const path = join(temporaryDirectory(), 'new')
  expect(await isStateInUse(path)).toBe(false)
  expect(await requestState(path)).toBeUndefined()
  const state = await takeOverState(path, log, nobody)
  expect(await isStateInUse(path)).toBe(true)
  expect(await requestState(path)).toMatchObject({ pid: process.pid, within: 1000 })
  await state.close()
})

test('a process that requests the directory gets it when the former process has closed it, and not earlier', async () => {
  const { path, asked, close } = await opened()
  let taken = false
  const next = takeOverState(path, log, nobody).then((state) => {
    taken = true
    return state
  })
  await expect.poll(() => asked).toEqual([process.pid])
  // The old one still has it.
  await expect(openStateDirectory(path, log)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  expect(taken).toBe(false)
  await close()
  await (await next).close()
})

test('the check whether the directory is in use is no request', async () => {
  const { path, asked } = await opened()
  expect(await isStateInUse(path)).toBe(true)
  await expect(openStateDirectory(path, log)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  expect(asked).toEqual([])
})

test('a process that does not hand the directory over keeps it, and the error gives the reason', async () => {
  const path = temporaryDirectory()
  const state = await openStateDirectory(path, log)
  onTestFinished(() => state.close())
  await expect(takeOverState(path, log, nobody)).rejects.toMatchObject({
    code: 'HG_STATE_LOCKED',
    message: expect.stringContaining('started without HEADGATE_TAKEOVER'),
  })
})

test('of two requests, the first gets the directory', async () => {
  const { path, asked } = await opened()
  expect(await requestState(path)).toMatchObject({ pid: process.pid })
  await expect(requestState(path)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  expect(asked).toHaveLength(1)
})

test('a directory whose lock was deleted is not taken from the process that has it', async () => {
  const { path, asked } = await opened()
  rmSync(join(path, 'lock'))
  await expect(takeOverState(path, log, nobody)).rejects.toMatchObject({ code: 'HG_STATE_LOCKED' })
  expect(asked).toEqual([])
})

test.each([
  ['something else', 'hello\n'],
  ['a pid that is none', 'takeover me\n'],
  ['a line without an end', 'takeover '.repeat(20)],
  ['an HTTP request', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['bytes', Buffer.alloc(1000, 0xff)],
])('a connection that sends %s is closed, and nothing stops', async (_what, sent) => {
  const { path, asked } = await opened()
  const connection = await lockConnection(path)
  connection.write(sent)
  connection.resume()
  await once(connection, 'close')
  expect(asked).toEqual([])
})

test('a request may come in pieces', async () => {
  const { path, asked } = await opened()
  const connection = await lockConnection(path)
  connection.setEncoding('utf8')
  for (const piece of ['take', 'over 1', '2\n']) {
    connection.write(piece)
    await new Promise((done) => setImmediate(done))
  }
  expect((await once(connection, 'data'))[0]).toBe(`${process.pid} 1000\n`)
  expect(asked).toEqual([12])
})

test('a process that asked and has gone does not keep the directory from being closed', async () => {
  const { path, asked, close } = await opened()
  const connection = await lockConnection(path)
  connection.write('takeover 12\n')
  await expect.poll(() => asked).toEqual([12])
  connection.destroy()
  await close()
  await (await openStateDirectory(path, log)).close()
})

test.each([
  ['20.20.2', false],
  ['22.11.0', false],
  ['22.12.0', true],
  ['23.0.0', false],
  ['23.1.0', true],
  ['24.0.0', true],
])('Node.js %s: %s', (version, isThere) => {
  const problem = takeoverProblem(version)
  if (isThere) expect(problem).toBeUndefined()
  else expect(problem).toContain('socket activation (LISTEN_FDS')
})
