// A step of a setup: a command whose progress is shown and whose output is kept, to be printed if it fails.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const project = fileURLToPath(new URL('../..', import.meta.url))
const LOG = join(project, '.cache/setup.log')
const LINES_SHOWN = 30
/** Milliseconds between two lines about a step, where lines cannot be rewritten. */
const PLAIN_INTERVAL = 10_000

/** A failure with a message for the user. */
export class SetupError extends Error {}

const children = new Set()

/**
 * For a program that is made of steps: it ends their commands when it is told to end (Ctrl-C reaches them by itself, `kill` does
 * not), and of a failed step it prints the message.
 */
export function beginProgram() {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.on(signal, () => {
      for (const child of children) child.kill(signal)
      console.error('\nStopped. The next start continues from here.')
      process.exit(code)
    })
  }
  process.on('uncaughtException', (error) => {
    console.error(error instanceof SetupError ? error.message : error)
    process.exit(1)
  })
}

/**
 * Runs a command. `count` gets each line of its output and returns how far it is, for instance "12 of 98 files", or nothing.
 * @param {string} title
 * @param {readonly string[]} command
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, count?: (line: string) => string | undefined }} [options]
 */
export async function step(title, [program = '', ...args], { env = process.env, cwd = project, count } = {}) {
  const progress = showProgress(title)
  const tail = []
  mkdirSync(join(project, '.cache'), { recursive: true })
  appendFileSync(LOG, `\n$ ${[program, ...args].join(' ')}\n`)
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      appendFileSync(LOG, `${line}\n`)
      tail.push(line)
      if (tail.length > LINES_SHOWN) tail.shift()
      const news = count?.(line)
      if (news !== undefined) progress.show(news)
    })
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `it ended with ${signal ?? code}`))
  })
  children.delete(child)
  progress.end(failure === undefined)
  if (failure !== undefined)
    throw new SetupError(
      `${tail.join('\n')}\n\n${title} failed: ${failure}. The command was "${[program, ...args].join(' ')}"; its whole output is in ${LOG}`,
    )
}

/** A step that downloads: once more if it fails, because registries and mirrors have bad moments. */
export const twice = (title, command) => step(title, command).catch(() => step(title, command))

function showProgress(title) {
  const started = performance.now()
  let news = ''
  const line = (end) => {
    const seconds = Math.round((performance.now() - started) / 1000)
    const elapsed = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
    return [title, end ?? news, elapsed].filter((part) => part !== '').join(', ')
  }
  const terminal = process.stderr.isTTY
  const print = () => process.stderr.write(terminal ? `\r\x1b[K${line()}` : `${line()}\n`)
  print()
  const timer = setInterval(print, terminal ? 500 : PLAIN_INTERVAL)
  return {
    show(text) {
      news = text
      if (terminal) print()
    },
    end(succeeded) {
      clearInterval(timer)
      process.stderr.write(`${terminal ? '\r\x1b[K' : ''}${line(succeeded ? 'done' : 'failed')}\n`)
    },
  }
}
