import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { reason } from '../config/files.js'
import { loadPlugins, type RunningPlugins } from '../config/load-plugins.js'
import { didYouMean } from '../config/problem.js'
import { type CheckedConfig, type ReadOptions, type ReadResult, readConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import { isLoopback } from '../lib/loopback.js'
import { nextTurn } from '../lib/slices.js'
import { printable } from '../lib/terminal/text.js'
import { plugins } from '../plugins/index.js'
import {
  closestMatches,
  flagsOf,
  readSettings,
  SETTINGS,
  type Setting,
  type Settings,
  type SettingsResult,
  settingWarnings,
} from '../process/settings.js'
import type { CommandInput, CommandOption, Io } from './command.js'
import { problemReport } from './problems.js'

/** The process settings as flags. */
export const settingOptions = (): CommandOption[] =>
  Object.values<Setting<string> | Setting<number> | Setting<boolean>>(SETTINGS).map((setting) => ({
    flags: flagsOf(setting),
    description: `${setting.doc} [${setting.env}, default ${setting.default === '' ? 'none' : setting.default}]`,
    ...(setting.values && { choices: setting.values }),
  }))

/** The settings from flags and environment, with warnings about probable mistakes. */
export function settingsFrom(
  flags: CommandInput['options'],
  { env }: Pick<Io, 'env'>,
): { readonly read: SettingsResult; readonly warnings: readonly string[] } {
  const values = Object.entries(flags).flatMap(([name, value]) =>
    name in SETTINGS && value !== undefined ? [[name, String(value)]] : [],
  )
  const read = readSettings(env, Object.fromEntries(values))
  return { read, warnings: [...closestMatches(env), ...(read.ok ? settingWarnings(read.settings) : [])] }
}

/** The settings from flags and environment; undefined if they are wrong. Prints problems and warnings. */
export function loadSettings(flags: CommandInput['options'], io: Io): Settings | undefined {
  const { read, warnings } = settingsFrom(flags, io)
  for (const warning of warnings) io.err(`warning: ${warning}\n`)
  if (read.ok) return read.settings
  io.err(`${read.problems.join('\n')}\n`)
  return undefined
}

type LoadOptions = Pick<ReadOptions, 'unresolved' | 'text' | 'contents' | 'checked' | 'othersOnDisk'> & {
  /** For untrusted configs: loads only these plugins, and reads no files outside the folder of the config. */
  readonly running?: RunningPlugins
}

/**
 * Loads the plugins that the config file names, then reads and checks the file, as `run` does; every command that needs a
 * config uses this. `unresolved` (for commands that connect to nothing) and the others: see `ReadOptions`.
 */
export async function loadConfig(
  { config, host, allowUnverified, allowClientCode }: Settings,
  { env, cwd }: Io,
  { running, ...options }: LoadOptions = {},
): Promise<ReadResult> {
  const exposed = !allowUnverified && !isLoopback(host)
  const path = resolve(cwd, config)
  // Each of the two takes a tenth of a second for thousands of rules; in a reload, events have their turn in between.
  const external = await loadPlugins(path, plugins, options.text ?? options.contents?.get(path), running)
  await nextTurn()
  return readConfig(path, {
    plugins,
    external,
    environment: env,
    exposed,
    clientCode: allowClientCode,
    cwd,
    ...options,
    ...(running !== undefined && { within: true }),
  })
}

/** The config as `loadConfig` reads it; undefined if it has problems, after printing them. */
export async function loadOrReport(
  settings: Settings,
  io: Io,
  options?: Pick<LoadOptions, 'unresolved'>,
): Promise<CheckedConfig | undefined> {
  const read = await loadConfig(settings, io, options)
  if (read.ok) return read.config
  io.err(problemReport(read, io))
  return undefined
}

/** The named pipeline, or the only one; otherwise the error to print. `having`: the property that all of `names` have in common. */
export function choosePipeline(
  name: string | undefined,
  names: readonly string[],
  having = '',
): { readonly pipeline: string } | { readonly problem: string } {
  const [only, ...others] = names
  if (name === undefined && only !== undefined && others.length === 0) return { pipeline: only }
  if (names.length === 0) return { problem: `There is no pipeline${having}.` }
  if (name === undefined)
    return {
      problem: `There are several pipelines${having}; choose one with --pipeline: ${names.join(', ')}.`,
    }
  if (names.includes(name)) return { pipeline: name }
  const hint = didYouMean(name, names)?.suggestion ?? `Expected one of ${names.join(', ')}.`
  return { problem: `There is no pipeline "${printable(name)}"${having}. ${hint}` }
}

/** The bytes of a file, or of standard input for `-`; undefined if it cannot be read, after printing why. */
export async function readBytes(name: string, { cwd, stdin, err }: Io): Promise<Buffer | undefined> {
  try {
    return name === '-' ? await stdin() : readFileSync(resolve(cwd, name))
  } catch (error) {
    err(`Cannot read ${name}: ${reason(error)}.\n`)
    return undefined
  }
}

/** Of a text. Editors on Windows put a byte order mark before it, which is not part of it. */
export async function readInput(name: string, io: Io): Promise<Buffer | undefined> {
  const bytes = await readBytes(name, io)
  const isMarked = bytes?.[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return isMarked ? bytes.subarray(3) : bytes
}

/** The result of `work`; undefined if it fails with an error that an operator can understand, after printing it. */
export async function orExit<Result>({ err }: Io, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    err(`${thrown.code}: ${thrown.message}\n`)
    return undefined
  }
}
