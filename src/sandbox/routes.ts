/**
 * What the shipped `plugins.config.json` promises, written down a second time: the demo holds Headgate against this
 * and not against the file that Headgate itself has read.
 */
export const PIPELINE = 'cxone-data-actions'
export const WEBHOOK_PATH = '/webhook/cxone/data-actions'
export const DEAD_LETTER_TOPIC = 'cxone.data.actions.dlq'

export type RouteName = 'high-priority' | 'eu-west' | 'otherwise'

export interface Route {
  readonly name: RouteName
  readonly topic: string
  readonly partition: number
}

export const ROUTES = [
  { name: 'high-priority', topic: 'cxone.data.actions.high', partition: 0 },
  { name: 'eu-west', topic: 'cxone.data.actions.eu', partition: 1 },
  { name: 'otherwise', topic: 'cxone.data.actions.default', partition: 2 },
] as const satisfies readonly Route[]

export const TOPICS: readonly string[] = [...ROUTES.map(({ topic }) => topic), DEAD_LETTER_TOPIC]
