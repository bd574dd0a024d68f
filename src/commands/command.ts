/**
 * Exit codes: 0 fine, 1 the thing asked about is wrong or a run failed, 2 wrong usage (flags, settings of the process), 70 a
 * fault of Headgate itself, 78 the config cannot be used. 70 and 78 are EX_SOFTWARE and EX_CONFIG of BSD's sysexits.h. A
 * supervisor starts again after 1 and 70; after 2 and 78 another try would end in the same way.
 */
export const EXIT = { ok: 0, wrong: 1, usage: 2, internal: 70, config: 78 } as const

/** What a command may touch of the process; only `cli.ts` makes one. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** All of standard input, to its end. */
  stdin(): Promise<Buffer>
  /** True where a person reads standard output or standard error. */
  readonly terminal: {
    readonly out: boolean
    readonly err: boolean
    /** How wide standard output is, where a person reads it. */
    readonly columns?: number | undefined
  }
  readonly env: Readonly<{ [name: string]: string | undefined }>
  readonly cwd: string
  /** Aborted at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Calls `listener` at every SIGHUP, which from then on does not end the process. */
  onHangup(listener: () => void): void
  /** Calls `listener` with every warning of Node.js, which from then on is not printed to standard error. */
  onWarning(listener: (warning: Error) => void): void
  /** Aborted at the second one: the operator no longer wants to wait. */
  readonly kill: AbortSignal
  /** From now on `report` is told of the error that ends the process, instead of standard error. */
  onCrash(report: (error: Error) => void): void
}

export interface CommandOption {
  /** As commander writes them: `--port <n>`. */
  readonly flags: string
  readonly description: string
  readonly default?: string | boolean
  /** May be given several times; its value is then the list of what was given. */
  readonly repeatable?: true
}

/** One command of `headgate`. It prints through `io` and returns the exit code. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** More for `--help`: what it prints, examples. */
  readonly details?: string
  /** Not for people. */
  readonly hidden?: true
  /** As commander writes them: `[file]`, `<name>`, `[files...]`. */
  readonly arguments?: readonly { readonly name: string; readonly description: string }[]
  readonly options?: readonly CommandOption[]
  run(input: CommandInput, io: Io): Promise<number>
}

/** Commands that belong together: `headgate dlq list`. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly details?: string
  readonly commands: readonly Command[]
}

export interface CommandInput {
  readonly arguments: readonly (string | undefined)[]
  /** By their camel-case name. */
  readonly options: Readonly<{ [name: string]: unknown }>
}
