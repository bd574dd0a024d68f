/**
 * Exit codes: 0 success; 1 the checked thing is wrong, or a run failed; 2 wrong usage (flags, process settings); 70 an internal
 * error of Headgate; 78 the config cannot be used. 70 and 78 are EX_SOFTWARE and EX_CONFIG of BSD's sysexits.h. A supervisor
 * should restart after 1 and 70; after 2 and 78 a restart would fail in the same way.
 */
export const EXIT = { ok: 0, wrong: 1, usage: 2, internal: 70, config: 78 } as const

/** The process as commands see it; only `cli.ts` makes one. */
export interface Io {
  out(text: string): void
  /** Bytes that a text would change. */
  outBytes(bytes: Buffer): void
  err(text: string): void
  /** All of standard input, to its end. */
  stdin(): Promise<Buffer>
  /** The line that the operator types after `question`; undefined at the end of the input. Only if the input is a terminal. */
  ask(question: string): Promise<string | undefined>
  /** Whether standard input, standard output and standard error are terminals. */
  readonly terminal: {
    readonly in: boolean
    readonly out: boolean
    readonly err: boolean
    /** Width of standard output, if it is a terminal. */
    readonly columns?: number | undefined
  }
  readonly env: Readonly<{ [name: string]: string | undefined }>
  readonly cwd: string
  /** Aborted at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Calls `listener` at every SIGHUP, which no longer ends the process. */
  onHangup(listener: () => void): void
  /** Calls `listener` with every warning of Node.js, which is no longer printed to standard error. */
  onWarning(listener: (warning: Error) => void): void
  /** Aborted at the second signal: the operator does not want to wait any longer. */
  readonly kill: AbortSignal
  /** Reports the error that ends the process to `report` instead of standard error. */
  onCrash(report: (error: Error) => void): void
}

export interface CommandOption {
  /** As commander writes them: `--port <n>`. */
  readonly flags: string
  readonly description: string
  readonly default?: string | boolean
  /** The valid values, if there are few: shells complete them. */
  readonly choices?: readonly string[]
  /** May be repeated; the value is then the list of all values. */
  readonly repeatable?: true
}

export interface CommandArgument {
  readonly name: string
  readonly description: string
  /** The usual values, if there are few: shells complete them. */
  readonly choices?: readonly string[]
}

/** A command of `headgate`. It prints through `io` and returns the exit code. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** More for `--help`: output, examples. */
  readonly details?: string
  /** Not shown in the help: Headgate starts it. */
  readonly hidden?: true
  /** As commander writes them: `[file]`, `<name>`, `[files...]`. */
  readonly arguments?: readonly CommandArgument[]
  readonly options?: readonly CommandOption[]
  run(input: CommandInput, io: Io): Promise<number>
}

/** A command with subcommands: `headgate dlq list`. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly details?: string
  readonly commands: readonly Command[]
}

export interface CommandInput {
  readonly arguments: readonly (string | undefined)[]
  /** By camel-case name. */
  readonly options: Readonly<{ [name: string]: unknown }>
}
