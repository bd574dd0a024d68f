import type { Command, CommandInput, Io } from '../../src/commands/command.js'

/** The output of a command and its end. */
export interface Recorded {
  readonly code: number
  /** Bytes are in it as characters of Latin-1. */
  readonly out: string
  readonly err: string
}

/** Runs a command in this process, as the command line would. */
export async function runCommand(
  command: Command,
  input: Partial<CommandInput> = {},
  io: Partial<Io> = {},
): Promise<Recorded> {
  let out = ''
  let err = ''
  const code = await command.run(
    { arguments: [], options: {}, ...input },
    {
      out: (text) => {
        out += text
      },
      outBytes: (bytes) => {
        out += bytes.toString('latin1')
      },
      err: (text) => {
        err += text
      },
      stdin: async () => Buffer.alloc(0),
      ask: async () => undefined,
      terminal: { in: false, out: false, err: false },
      env: {},
      cwd: process.cwd(),
      signal: new AbortController().signal,
      onHangup: () => {},
      onWarning: () => {},
      onCrash: () => {},
      kill: new AbortController().signal,
      ...io,
    },
  )
  return { code, out, err }
}
