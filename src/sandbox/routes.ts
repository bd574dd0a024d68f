/**
 * The routes of the shipped `plugins.config.json`, written a second time, so that the demo does not check Headgate against the
 * same file that Headgate reads.
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

/** One short event per route, to try out. */
const PAYLOADS: Readonly<Record<RouteName, string>> = {
  'high-priority': '{"priority":"high","region":"us-east","caseNumber":9007199254740993}',
  'eu-west': '{"priority":"normal","region":"eu-west","total":1.0}',
  otherwise: '{"priority":"normal","region":"us-east"}',
}

/** One shell command per route that posts an event, and the partition of its record. */
export function exampleCommands(
  webhook: string,
  token: string,
): { readonly title: string; readonly command: string }[] {
  return ROUTES.map(({ name, topic, partition }) => {
    const body = `{"dataActionId":"example-${name}","eventType":"DataActionCreated","timestamp":"2025-06-01T08:00:00Z","payload":${PAYLOADS[name]}}`
    const headers = `-H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json'`
    return {
      title: `${name}: to ${topic}, partition ${partition}`,
      command: `curl -i '${webhook}' ${headers} -d '${body}'`,
    }
  })
}
