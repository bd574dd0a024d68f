import type { Settings } from '../../plugins/source/http-webhook/settings.js'
import { type Environment, resolvedSource } from '../resolved-source.js'
import type { Answers } from './senders.js'

/** The settings of the source as the new config has them. */
export const writtenSource = (answers: Answers): object => {
  const { path, eventId, sender } = answers
  return { path, ...sender.source(answers), ...(eventId !== undefined && { eventId }) }
}

/** The same settings, complete, and with these secrets. */
export const sourceSettings = (answers: Answers, environment: Environment): Settings =>
  resolvedSource(writtenSource(answers), environment)

/** The secrets of the sender in scenarios. */
export const sampleSecrets = ({ sender }: Answers): Environment =>
  Object.fromEntries(
    sender.variables.flatMap(({ name, secret }) => (secret === undefined ? [] : [[name, secret.sample()]])),
  )

/** The JSON Pointer of the event id in the body; undefined if it is elsewhere, or in several places. */
export const idInBody = ({ eventId }: Pick<Settings, 'eventId'>): string | undefined =>
  typeof eventId === 'string' && eventId.startsWith('/') ? eventId : undefined
