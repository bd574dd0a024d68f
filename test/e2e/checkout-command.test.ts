import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../helpers/context.js'
import { environment } from '../helpers/processes/deployment.js'

test('a signal to ./headgate reaches the process that listens, and the exit code is its own', async () => {
  const child = spawn(resolve('headgate'), ['run', '--config', SHIPPED_CONFIG], {
    cwd: temporaryDirectory({}),
    env: {
      PATH: process.env['PATH'],
      ...environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' }),
      HEADGATE_PORT: '0',
      HEADGATE_ADMIN_PORT: '0',
      HEADGATE_LOG_FORMAT: 'json',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const events: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const { event } = JSON.parse(line) as { readonly event?: string }
    events.push(String(event))
    if (event === 'listening') child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
  expect(events).toContain('stopped')
})

test('./headgate works from any folder, and says with its exit code what is wrong', async () => {
  const child = spawn(resolve('headgate'), ['run'], { cwd: temporaryDirectory({}), stdio: 'ignore' })
  expect(await once(child, 'exit')).toEqual([78, null])
})
