import { type ChildProcess, fork, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of this folder in a process of its own, which ends with ours. Speaks over IPC. */
export function startChild(
  file: string,
  env: { readonly [name: string]: string } = {},
  execArgv: string[] = [],
): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'ipc']
  return fork(path, { env: { ...process.env, ...env }, execArgv, stdio })
}

/** The next message of a child. Rejects when the child ends instead. */
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
