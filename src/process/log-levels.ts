import type { Logger } from 'pino'
import type { Log } from '../contract/index.js'

/** The loggers of the process, by names whose levels can be changed: `root`, `PIPELINE`, `PIPELINE.STAGE`. */
export interface Loggers {
  /** A log with these fields on every line, as detailed as its name was last told to be. */
  of(fields: { readonly [name: string]: string }): Log
  levels(): ReadonlyMap<string, LoggerLevel>
  /** Sets a logger and all below it, those of later configs included. Returns their names. */
  set(name: string, level: string): string[]
}

export interface LoggerLevel {
  /** One of pino's. */
  readonly level: string
  /** Milliseconds since the epoch; undefined where it is as at start. */
  readonly changedAt: number | undefined
}

export function createLoggers(root: Logger): Loggers {
  const first = root.level
  const set = new Map<string, { readonly level: string; readonly changedAt: number }>()
  /** Stages come and go with reloads, and their logs with them. */
  const alive = new Map<string, Set<WeakRef<Logger>>>([['root', new Set([new WeakRef(root)])]])
  const levelOf = (name: string): LoggerLevel => {
    const said = [...set].filter(([above]) => isBelow(name, above)).map(([, said]) => said)
    return said.at(-1) ?? { level: first, changedAt: undefined }
  }
  const names = (): string[] => {
    for (const [name, logs] of alive) {
      for (const log of logs) if (log.deref() === undefined) logs.delete(log)
      if (logs.size === 0) alive.delete(name)
    }
    return [...alive.keys()]
  }
  return {
    of(fields) {
      const name = nameOf(fields)
      const log = root.child(fields, { level: levelOf(name).level })
      names()
      alive.set(name, (alive.get(name) ?? new Set()).add(new WeakRef(log)))
      return log
    },
    levels: () => new Map(names().map((name) => [name, levelOf(name)])),
    set(name, level) {
      // What was said of the loggers below it is overruled.
      for (const below of [...set.keys()]) if (isBelow(below, name)) set.delete(below)
      set.set(name, { level, changedAt: Date.now() })
      const changed = names().filter((known) => isBelow(known, name))
      for (const known of changed)
        for (const log of alive.get(known) ?? []) {
          const its = log.deref()
          if (its !== undefined) its.level = level
        }
      return changed
    },
  }
}

const isBelow = (name: string, above: string): boolean =>
  above === 'root' || name === above || name.startsWith(`${above}.`)

const nameOf = ({ pipeline, stage }: { readonly [name: string]: string }): string =>
  [pipeline, stage].filter((part) => part !== undefined).join('.') || 'root'
