import { type ChildProcess, fork, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of the benchmark in a process of its own, which ends with this process. They talk over IPC. */
export function startChild(
  program: URL,
  env: { readonly [name: string]: string } = {},
  execArgv: string[] = [],
): ChildProcess {
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'ipc']
  return fork(fileURLToPath(program), { env: { ...process.env, ...env }, execArgv, stdio })
}

/** The next message of a child. Rejects if the child ends first. */
export async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const over = new AbortController()
  try {
    const message = once(child, 'message', { signal: over.signal })
    const exit = once(child, 'exit', { signal: over.signal }).then(([code]) => {
      throw new Error(`${child.spawnargs[1]} ended with exit code ${code}`)
    })
    exit.catch(() => {})
    const [received] = await Promise.race([message, exit])
    return received as Message
  } finally {
    over.abort()
  }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
}

/** Requests to a child process; several can be open at a time. */
interface Requests<Ask> {
  /** Rejects if the child ends or its handler fails. */
  ask<Result>(ask: Ask): Promise<Result>
}

interface Question<Ask> {
  readonly number: number
  readonly ask: Ask
}

interface Reply {
  readonly number: number
  readonly result?: unknown
  readonly error?: string
}

/** The side of the parent. The child calls `serveRequests`. */
export function requestsTo<Ask>(child: ChildProcess): Requests<Ask> {
  const open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let asked = 0
  child.on('message', (message: Reply) => {
    const question = open.get(message.number)
    open.delete(message.number)
    if (message.error === undefined) question?.resolve(message.result)
    else question?.reject(new Error(message.error))
  })
  child.once('exit', (code) => {
    for (const { reject } of open.values())
      reject(new Error(`${child.spawnargs[1]} ended with exit code ${code}`))
  })
  return {
    ask: <Result>(ask: Ask) =>
      new Promise<Result>((resolve, reject) => {
        const number = asked++
        open.set(number, { resolve: resolve as (result: unknown) => void, reject })
        child.send({ number, ask } satisfies Question<Ask>)
      }),
  }
}

/** The side of the child. It ends with its parent. */
export function serveRequests<Ask>(handle: (ask: Ask) => unknown): void {
  process.on('message', async ({ number, ask }: Question<Ask>) => {
    try {
      process.send?.({ number, result: await handle(ask) } satisfies Reply)
    } catch (error) {
      process.send?.({
        number,
        error: error instanceof Error ? error.message : String(error),
      } satisfies Reply)
    }
  })
  process.on('disconnect', () => process.exit())
}
