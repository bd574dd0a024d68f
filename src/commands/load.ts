import { resolve } from 'node:path'
import { isLoopback } from '../http/loopback.js'
import { type ReadResult, readConfig } from '../pipeline/config/read.js'
import { plugins } from '../plugins/index.js'
import { readSettings, SETTINGS, type Settings } from '../settings.js'
import type { CommandInput, CommandOption, Io } from './command.js'

/** The process settings as flags, from their one declaration. */
export const settingOptions = (): CommandOption[] =>
  Object.values(SETTINGS).map(({ arg, doc, env, default: preset }) => ({
    flags: typeof preset === 'boolean' ? `--${arg}` : `--${arg} <value>`,
    description: `${doc} [${env}, default ${preset}]`,
  }))

/** The settings from flags and environment; complaints are printed, and undefined returned. */
export function loadSettings(flags: CommandInput['options'], { env, err }: Io): Settings | undefined {
  const given = Object.entries(flags).flatMap(([name, value]) =>
    name in SETTINGS && value !== undefined ? [[name, String(value)]] : [],
  )
  const read = readSettings(env, Object.fromEntries(given))
  if (read.ok) return read.settings
  err(`${read.problems.join('\n')}\n`)
  return undefined
}

/** Reads and checks the config file as `run` would; every command that looks at a config uses this. */
export function loadConfig({ config, host, allowUnverified }: Settings, { env, cwd }: Io): ReadResult {
  const exposed = !allowUnverified && !isLoopback(host)
  return readConfig(resolve(cwd, config), { plugins, environment: env, exposed, cwd })
}
