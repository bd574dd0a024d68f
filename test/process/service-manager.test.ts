import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listeningSockets, type Notify, serviceManager } from '../../src/process/service-manager.js'
import { testContext } from '../helpers/context.js'

const PID = 4711
const passed = (more: { readonly [name: string]: string }) => ({ LISTEN_PID: String(PID), ...more })

describe('sockets that were passed', () => {
  it.each([
    [{}, {}],
    [{ LISTEN_FDS: '1', LISTEN_PID: '1' }, {}],
    [passed({ LISTEN_FDS: '1' }), { intake: 3 }],
    [passed({ LISTEN_FDS: '2' }), { intake: 3, admin: 4 }],
    [passed({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'headgate.socket' }), { intake: 3 }],
    [passed({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'admin:intake' }), { intake: 4, admin: 3 }],
    [passed({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'admin' }), { admin: 3 }],
  ])('of %j are %j', (environment, sockets) => {
    expect(listeningSockets(environment, PID)).toEqual(sockets)
  })

  it.each([
    [{ LISTEN_FDS: '3' }, 'LISTEN_FDS is "3"'],
    [{ LISTEN_FDS: 'x' }, 'LISTEN_FDS is "x"'],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'intake:metrics' }, 'one is named "metrics"'],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'intake:intake' }, 'LISTEN_FDNAMES is "intake:intake"'],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'intake' }, 'LISTEN_FDNAMES is "intake" and LISTEN_FDS 2'],
  ])('of %j are refused, with what was found', (environment, found) => {
    expect(() => listeningSockets(passed(environment), PID)).toThrow(
      expect.objectContaining({ code: 'HG_LISTEN_FAILED', message: expect.stringContaining(found) }),
    )
  })
})

describe('what systemd is told', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function told(environment: { readonly [name: string]: string }, failure?: Error) {
    const sent: string[] = []
    const { log, lines } = testContext()
    const send: Notify = (assignments, failed) => {
      sent.push(assignments.join(' '))
      if (failure !== undefined) failed(failure)
    }
    return { manager: serviceManager(environment, PID, log, send), sent, lines }
  }

  it('is nothing where it does not ask', () => {
    const { manager, sent } = told({ WATCHDOG_USEC: '1000000' })
    manager.ready('listening')
    manager.stopping()
    vi.advanceTimersByTime(10_000)
    expect(sent).toEqual([])
  })

  it('is when the service is ready, that it lives, twice as often as asked, and that it stops', () => {
    const { manager, sent } = told({
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '30000000',
      WATCHDOG_PID: String(PID),
    })
    vi.advanceTimersByTime(60_000)
    expect(sent).toEqual([])
    manager.ready('listening')
    expect(sent).toEqual(['READY=1 STATUS=listening'])
    vi.advanceTimersByTime(30_000)
    manager.stopping()
    expect(sent.slice(1)).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'STOPPING=1'])
  })

  it('is nothing of the watchdog of another process', () => {
    const { manager, sent } = told({
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '1000000',
      WATCHDOG_PID: '1',
    })
    manager.ready('listening')
    vi.advanceTimersByTime(10_000)
    expect(sent).toHaveLength(1)
  })

  it('is logged once where it cannot be told', () => {
    const { manager, lines } = told(
      { NOTIFY_SOCKET: '/run/notify' },
      new Error('spawn systemd-notify ENOENT'),
    )
    manager.ready('listening')
    manager.stopping()
    expect(lines).toMatchObject([{ level: 'warn', fields: { reason: 'spawn systemd-notify ENOENT' } }])
  })
})
