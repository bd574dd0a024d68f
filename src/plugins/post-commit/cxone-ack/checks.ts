import type { ConfigProblem } from '../../../contract/index.js'
import { milliseconds } from '../../../lib/units.js'
import { tokenUrlText } from './connections.js'
import type { Settings } from './settings.js'
import { statusProblems } from './statuses.js'
import { templateProblems } from './template.js'

/** The problems that the schema of the settings cannot express. */
export function* problems(config: Settings): Iterable<ConfigProblem> {
  yield* urlProblems(config)
  yield* timeoutProblems(config)
  yield* clientIdProblems(config)
  yield* templateProblems(config.path, '/path')
  yield* templateProblems(config.body, '/body')
  yield* statusProblems(config.statuses, '/statuses')
}

const LONGEST_TIMEOUT = 3_600_000

/** undici takes 0 for no limit, and Node's timers fire at once beyond 24 days. */
function* timeoutProblems({ timeout }: Settings): Iterable<ConfigProblem> {
  const wait = milliseconds(timeout)
  if (wait > 0 && wait <= LONGEST_TIMEOUT) return
  yield {
    at: '/timeout',
    code: 'HG_CONFIG_VALUE',
    message: `${timeout} is not a sensible time to wait for a response.`,
    expected: 'a duration from 1ms to 1h',
  }
}

/** The first colon of "id:secret" ends the id (RFC 7617, 2). */
function* clientIdProblems({ clientId, oauth }: Settings): Iterable<ConfigProblem> {
  if (oauth.clientAuthentication !== 'basic' || oauth.grant.type === 'access_key') return
  if (!clientId.includes(':')) return
  yield {
    at: '/clientId',
    code: 'HG_CONFIG_CONFLICT',
    message:
      'A client id with a colon cannot be sent by `"clientAuthentication": "basic"`: the colon ends the id.',
    expected: '`oauth.clientAuthentication` to be "basic-form-encoded" or "body"',
  }
}

function* urlProblems(config: Settings): Iterable<ConfigProblem> {
  const wrong = {
    code: 'HG_CONFIG_VALUE',
    message: 'This is not a URL.',
    expected: 'an http or https URL',
  } as const
  if (!URL.canParse(config.baseUrl)) yield { at: '/baseUrl', ...wrong }
  else if (!URL.canParse(tokenUrlText(config))) yield { at: '/oauth/tokenUrl', ...wrong }
}
