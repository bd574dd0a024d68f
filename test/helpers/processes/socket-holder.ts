import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/** Keeps a listening socket open across restarts of a program, as systemd does for a socket unit. */
export interface SocketHolder {
  readonly port: number
  /** Every line that the program has printed. */
  readonly lines: readonly string[]
  /** Starts the program with the socket as descriptor 3; resolves with its process id. One at a time. */
  start(): Promise<number>
  /** Resolves when the running program has ended. */
  ended(): Promise<void>
}

/** Node.js can pass a socket to a child only while it accepts connections itself, and has no fork and exec. */
const HOLDER = `
import os, socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(512)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
print('port', s.getsockname()[1], flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='intake')
        os.execvp(sys.argv[1], sys.argv[1:])
    print('pid', pid, flush=True)
    os.waitpid(pid, 0)
    print('ended', flush=True)
`

export async function holdSocket(
  command: readonly string[],
  env: Readonly<{ [name: string]: string | undefined }>,
): Promise<SocketHolder> {
  const child: ChildProcess = spawn('python3', ['-c', HOLDER, ...command], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting: { readonly word: string; resolve(rest: string): void }[] = []
  const next = (word: string) => new Promise<string>((resolve) => waiting.push({ word, resolve }))
  let pid: number | undefined
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const [word = '', rest = ''] = line.split(' ')
    const found = waiting.findIndex((one) => one.word === word)
    if (found >= 0) waiting.splice(found, 1)[0]?.resolve(rest)
    else lines.push(line)
  })
  onTestFinished(() => {
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    child.kill('SIGKILL')
  })
  const port = Number(await next('port'))
  let ended = Promise.resolve()
  return {
    port,
    lines,
    async start() {
      const started = next('pid')
      ended = next('ended').then(() => {
        pid = undefined
      })
      child.stdin?.write('start\n')
      pid = Number(await started)
      return pid
    },
    ended: () => ended,
  }
}
