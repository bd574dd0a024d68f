import { ROUTES, type RouteName } from './routes.js'

/** One short event a route, for people to try. */
const PAYLOADS: Readonly<Record<RouteName, string>> = {
  'high-priority': '{"priority":"high","region":"us-east","caseNumber":9007199254740993}',
  'eu-west': '{"priority":"normal","region":"eu-west","total":1.0}',
  otherwise: '{"priority":"normal","region":"us-east"}',
}

/** Commands for a shell that post an event to each route, and where its record will be. */
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
