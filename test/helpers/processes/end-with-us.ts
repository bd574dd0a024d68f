import { spawn } from 'node:child_process'

/**
 * Kills process `pid` and removes `directory` when this process ends, however it ends: a shell in its own session
 * waits for the end of its input, which comes even with SIGKILL. Returns a function that cancels it.
 */
export function endWithUs(pid: number, directory: string): () => void {
  const script = 'cat >/dev/null; kill -9 "$0" 2>/dev/null; sleep 1; rm -rf "$1"'
  const guard = spawn('sh', ['-c', script, String(pid), directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  // A Socket at run time, which could keep this process alive.
  ;(guard.stdin as unknown as { unref(): void }).unref()
  return () => guard.kill('SIGKILL')
}
