import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { reason } from '../config/files.js'
import { loadPlugins, type RunningPlugins } from '../config/load-plugins.js'
import { didYouMean } from '../config/problem.js'
import { type ReadOptions, type ReadResult, readConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import { isLoopback } from '../lib/loopback.js'
import { printable } from '../lib/terminal/text.js'
import { plugins } from '../plugins/index.js'
import {
  closestMatches,
  flagOf,
  readSettings,
  SETTINGS,
  type Settings,
  type SettingsResult,
} from '../process/settings.js'
import type { CommandInput, CommandOption, Io } from './command.js'

/** The process settings as flags, from their one declaration. */
export const settingOptions = (): CommandOption[] =>
  Object.values(SETTINGS).map((setting) => ({
    flags: typeof setting.default === 'boolean' ? `--${flagOf(setting)}` : `--${flagOf(setting)} <value>`,
    description: `${setting.doc} [${setting.env}, default ${setting.default === '' ? 'none' : setting.default}]`,
  }))

/** The settings from flags and environment, and a sentence for each variable whose name looks like a slip. */
export function settingsFrom(
  flags: CommandInput['options'],
  { env }: Pick<Io, 'env'>,
): { readonly read: SettingsResult; readonly slips: readonly string[] } {
  const given = Object.entries(flags).flatMap(([name, value]) =>
    name in SETTINGS && value !== undefined ? [[name, String(value)]] : [],
  )
  return { read: readSettings(env, Object.fromEntries(given)), slips: closestMatches(env) }
}

/** The settings from flags and environment. Slips in names are printed; so are complaints, and undefined is returned then. */
export function loadSettings(flags: CommandInput['options'], io: Io): Settings | undefined {
  const { read, slips } = settingsFrom(flags, io)
  for (const slip of slips) io.err(`warning: ${slip}\n`)
  if (read.ok) return read.settings
  io.err(`${read.problems.join('\n')}\n`)
  return undefined
}

type LoadOptions = Pick<ReadOptions, 'unresolved' | 'text' | 'contents'> & {
  /** A stranger asks: no other plugins are loaded, and no files elsewhere are read. */
  readonly running?: RunningPlugins
}

/**
 * Loads the plugins that the config file names, then reads and checks it, as `run` would; every command that looks at a
 * config uses this. `unresolved`, for commands that connect to nothing, `text` and `contents`: see `ReadOptions`.
 */
export async function loadConfig(
  { config, host, allowUnverified, allowClientCode }: Settings,
  { env, cwd }: Io,
  { unresolved, text, contents, running }: LoadOptions = {},
): Promise<ReadResult> {
  const exposed = !allowUnverified && !isLoopback(host)
  const path = resolve(cwd, config)
  const external = await loadPlugins(path, plugins, text ?? contents?.get(path), running)
  return readConfig(path, {
    plugins,
    external,
    environment: env,
    exposed,
    clientCode: allowClientCode,
    cwd,
    ...(unresolved && { unresolved }),
    ...(text !== undefined && { text }),
    ...(contents !== undefined && { contents }),
    ...(running !== undefined && { within: true }),
  })
}

/** The pipeline that is meant: the one that is named, or the only one. Otherwise what to say. `having`: what all of `names` have. */
export function choosePipeline(
  name: string | undefined,
  names: readonly string[],
  having = '',
): { readonly pipeline: string } | { readonly complaint: string } {
  const [only, ...others] = names
  if (name === undefined && only !== undefined && others.length === 0) return { pipeline: only }
  if (names.length === 0) return { complaint: `There is no pipeline${having}.` }
  if (name === undefined) return { complaint: `Name one with --pipeline: ${names.join(', ')}.` }
  if (names.includes(name)) return { pipeline: name }
  const hint = didYouMean(name, names)?.suggestion ?? `There is ${names.join(', ')}.`
  return { complaint: `There is no pipeline "${printable(name)}"${having}. ${hint}` }
}

/** The bytes of a file, or of standard input for `-`. Where it cannot be read that is said, and undefined returned. */
export async function readInput(name: string, { cwd, stdin, err }: Io): Promise<Buffer | undefined> {
  try {
    return withoutMark(name === '-' ? await stdin() : readFileSync(resolve(cwd, name)))
  } catch (error) {
    err(`${name} cannot be read: ${reason(error)}.\n`)
    return undefined
  }
}

/** Editors of Windows put a byte order mark before a text, which is no part of it. */
const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** What `work` gives. What is in its way is told the operator, and undefined returned. */
export async function tried<Result>({ err }: Io, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    err(`${thrown.code}: ${thrown.message}\n`)
    return undefined
  }
}
