import { readSettings } from '../../config/stage-settings.js'
import { httpWebhook } from '../../plugins/source/http-webhook/index.js'
import type { Settings } from '../../plugins/source/http-webhook/settings.js'
import type { Answers } from './senders.js'

/** Values of variables, by their names. */
export type Environment = { readonly [variable: string]: string }

/** The settings of the source as the new config has them. */
export const writtenSource = (answers: Answers): object => {
  const { path, eventId, sender } = answers
  return { path, ...(eventId !== undefined && { eventId }), ...sender.source(answers) }
}

/** The same settings, complete, and with these secrets. */
export function sourceSettings(answers: Answers, environment: Environment): Settings {
  const text = JSON.stringify(writtenSource(answers)).replaceAll(
    /\$\{env:(\w+)\}/g,
    (_, name: string) => environment[name] ?? '',
  )
  return readSettings(httpWebhook, JSON.parse(text)).config as Settings
}

/** The secrets of the sender in scenarios. */
export const sampleSecrets = ({ sender }: Answers): Environment =>
  Object.fromEntries(
    sender.variables.flatMap(({ name, secret }) => (secret === undefined ? [] : [[name, secret.sample()]])),
  )

/** The JSON Pointer of the event id in the body; undefined if it is elsewhere, or in several places. */
export const idInBody = ({ eventId }: Pick<Settings, 'eventId'>): string | undefined =>
  typeof eventId === 'string' && eventId.startsWith('/') ? eventId : undefined
