import { readSettings } from '../config/stage-settings.js'
import { httpWebhook } from '../plugins/source/http-webhook/index.js'
import type { Settings } from '../plugins/source/http-webhook/settings.js'

/** Values of variables, by their names. */
export type Environment = { readonly [variable: string]: string }

/** Written settings of an `http-webhook` as Headgate reads them: complete, and with these values for `${env:NAME}`. */
export function resolvedSource(written: object, environment: Environment): Settings {
  const text = JSON.stringify(written).replaceAll(
    /\$\{env:(\w+)\}/g,
    (_, name: string) => environment[name] ?? '',
  )
  return readSettings(httpWebhook, JSON.parse(text)).config as Settings
}
