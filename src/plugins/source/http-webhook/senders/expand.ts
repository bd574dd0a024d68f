import { isDeepStrictEqual } from 'node:util'
import type { ConfigProblem, ExpandedSettings } from '../../../../contract/index.js'
import { senderOf } from './index.js'
import type { Sender } from './sender.js'

type Settings = { readonly [setting: string]: unknown }

/**
 * Puts the settings that `sender` stands for below those that are written. `secrets` goes to the places that the sender names.
 * Settings without a known sender stay as they are: the schema reports their problems.
 */
export function expandSender(written: unknown): ExpandedSettings {
  const sender = isObject(written) ? senderOf(written['sender']) : undefined
  if (sender === undefined || !isObject(written))
    return { config: written, missing: [], writtenAt: (pointer) => pointer }
  const { secrets, ...others } = written
  const { settings, moved } =
    secrets === undefined ? { settings: sender.settings, moved: [] } : withSecrets(sender, secrets, others)
  const config = merged(settings, others) as Settings
  const isUsed = moved.some((place) => isDeepStrictEqual(valueAt(config, tokensOf(place)), secrets))
  return {
    missing: missingSettings(sender, written, config),
    // The check of the settings reports secrets that stay where they are.
    config: secrets === undefined || isUsed ? config : { ...config, secrets },
    writtenAt(pointer) {
      const place = sender.secrets.find((at) => pointer === at || pointer.startsWith(`${at}/`))
      return place === undefined || !moved.includes(place)
        ? pointer
        : `/secrets${pointer.slice(place.length)}`
    },
  }
}

/** The settings of the sender with the secrets at their places, except where the file has its own. */
function withSecrets(
  { settings, secrets: places }: Sender,
  secrets: unknown,
  written: Settings,
): { readonly settings: Settings; readonly moved: readonly string[] } {
  const moved = places.filter((place) => valueAt(written, tokensOf(place)) === undefined)
  return {
    settings: moved.reduce<Settings>((all, place) => withValueAt(all, tokensOf(place), secrets), settings),
    moved,
  }
}

/** Of Standard Webhooks, whose senders can sign with a private key. Other schemes have no such setting, or no secrets. */
const INSTEAD_OF_SECRETS = '/verify/publicKeys'

function missingSettings(
  { name, secret, secrets, needs = {} }: Sender,
  written: Settings,
  config: Settings,
): ConfigProblem[] {
  const places = [...secrets, INSTEAD_OF_SECRETS]
  const hasSecrets = places.some((place) => valueAt(config, tokensOf(place)) !== undefined)
  const isOwnScheme = valueAt(written, ['verify', 'scheme']) !== undefined
  const wanted = { ...(!hasSecrets && !isOwnScheme && { secrets: secret }), ...needs }
  return Object.entries(wanted)
    .filter(([setting]) => written[setting] === undefined)
    .map(([setting, why]) => ({
      at: '',
      code: 'HG_CONFIG_MISSING_KEY',
      message: `The sender "${name}" needs the setting "${setting}", which is missing here.`,
      expected: why,
    }))
}

const tokensOf = (pointer: string): string[] => pointer.slice(1).split('/')

function valueAt(settings: unknown, tokens: readonly string[]): unknown {
  return tokens.reduce<unknown>((inner, token) => (isObject(inner) ? inner[token] : undefined), settings)
}

function withValueAt(settings: Settings, [token = '', ...rest]: readonly string[], value: unknown): Settings {
  const inner = settings[token]
  return {
    ...settings,
    [token]:
      rest.length === 0 ? structuredClone(value) : withValueAt(isObject(inner) ? inner : {}, rest, value),
  }
}

/** Members that tell the variants of a setting apart: the settings of one variant mean nothing in another. */
const TAGS = ['scheme', 'form']

/** Written settings win over those of the sender, member by member; null removes one (RFC 7396). */
function merged(preset: unknown, written: unknown): unknown {
  if (written === undefined) return structuredClone(preset)
  if (!isObject(preset) || !isObject(written)) return written
  if (TAGS.some((tag) => tag in written && written[tag] !== preset[tag])) return written
  const names = [...new Set([...Object.keys(preset), ...Object.keys(written)])]
  return Object.fromEntries(
    names.filter((name) => written[name] !== null).map((name) => [name, merged(preset[name], written[name])]),
  )
}

const isObject = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
