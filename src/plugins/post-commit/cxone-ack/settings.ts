import type { Static } from 'typebox'
import { variants } from '../../../contract/index.js'
import { Type } from '../../../lib/json/pointer.js'
import { Duration } from '../../../lib/units.js'

const clientCredentials = Type.Object(
  { type: Type.Literal('client_credentials') },
  { description: 'The client acts for itself.', additionalProperties: false },
)

const password = Type.Object(
  {
    type: Type.Literal('password'),
    username: Type.String({ minLength: 1, description: 'User name, or the access key id of CXone.' }),
    password: Type.String({
      minLength: 1,
      secret: true,
      description: 'Password, or the access key secret of CXone. Best a reference to a variable or a file.',
    }),
  },
  { description: 'The client acts for a user, or for an access key.', additionalProperties: false },
)

const accessKey = Type.Object(
  { type: Type.Literal('access_key') },
  {
    description:
      'An access key of CXone, in the JSON body that its endpoint `/authentication/v1/token/access-key` takes: `clientId` is the access key id, `clientSecret` the access key secret. Client authentication and scopes have no place in it.',
    additionalProperties: false,
  },
)

const grant = variants('type', 'Grant of the token request.', {
  client_credentials: clientCredentials,
  password,
  access_key: accessKey,
})

/** Requests for access tokens (OAuth 2.0, RFC 6749). */
export const OAuth = Type.Object(
  {
    tokenUrl: Type.String({
      pattern: '^(/|https?://)[^\\s#]*$',
      expected: 'a path such as "/oauth/token", or an http or https URL',
      default: '/oauth/token',
      description: 'URL of the token endpoint: a path below `baseUrl`, or a whole URL.',
    }),
    grant: Type.Unsafe<Static<typeof grant>>({ ...grant, default: { type: 'client_credentials' } }),
    clientAuthentication: Type.Enum(['basic', 'basic-form-encoded', 'body'], {
      default: 'basic',
      description:
        'How the client proves itself to the token endpoint: in the Authorization header with id and secret as they are (`basic`, as programs for CXone do) or form-encoded first (`basic-form-encoded`, as RFC 6749 has it), or in the form (`body`).',
    }),
    scopes: Type.Array(
      Type.String({
        pattern: '^[!#-\\[\\]-~]+$',
        expected: 'a scope such as "data-actions:write", without spaces',
      }),
      {
        default: ['data-actions:read', 'data-actions:write', 'oauth:client'],
        description: 'Scopes that the token request asks for. Empty: all that the client is allowed.',
      },
    ),
  },
  { default: {}, additionalProperties: false, description: 'Requests for access tokens (OAuth 2.0).' },
)

const statusList = (description: string, initial?: readonly (number | string)[]) =>
  Type.Array(
    Type.Unsafe<number | string>({
      type: ['integer', 'string'],
      minimum: 200,
      maximum: 599,
      pattern: '^[2-5]xx$',
      expected: 'a status such as 503, or a class such as "5xx"',
    }),
    { uniqueItems: true, description, ...(initial && { default: initial }) },
  )

const Statuses = Type.Object(
  {
    success: statusList(
      'The event is acknowledged. 409 says that it was before, as after a response that got lost.',
      ['2xx', 409],
    ),
    retry: statusList('The acknowledgement is tried again later.', [408, 425, 429, '5xx']),
    giveUp: Type.Optional(
      statusList(
        'The acknowledgement is not tried again. Without this list, that is every status in no other list; with it, those are retried.',
      ),
    ),
    throttle: statusList(
      'Of the retried ones: CXone asks for fewer requests, so that all of them wait.',
      [429],
    ),
  },
  {
    default: {},
    additionalProperties: false,
    description:
      'The meaning of each status; a status takes precedence over its class. 401 is in no list: Headgate always renews the token and retries the request.',
  },
)

/** The settings of `cxone-ack`. If CXone's documents disagree, the defaults follow its Data Actions tutorial. */
export const Settings = Type.Object(
  {
    baseUrl: Type.String({
      pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$',
      expected: 'an http or https URL such as "https://api.us.example.com"',
      description: 'Base URL of the CXone API of your region; a path in it is kept.',
    }),
    clientId: Type.String({
      minLength: 1,
      description: 'Client id of the OAuth client, such as "App@Vendor".',
    }),
    clientSecret: Type.String({
      minLength: 1,
      secret: true,
      description: 'Client secret of the OAuth client. Best a reference to a variable or a file.',
    }),
    oauth: OAuth,
    method: Type.Enum(['POST', 'PUT', 'PATCH', 'DELETE'], {
      default: 'POST',
      description: 'Method of the acknowledge request.',
    }),
    path: Type.String({
      pattern: '^/([!"$-z|~]|\\{[\\w.-]+\\})*$',
      expected: 'a path such as "/api/v2/data/actions/{id}/acknowledge"',
      default: '/api/v2/data/actions/{id}/acknowledge',
      description:
        'Path of the acknowledge request, below `baseUrl`. {id}, {topic}, {partition} and {offset} are filled in, percent-encoded. An event that the config drops has an {id} only.',
    }),
    body: Type.String({
      default: '',
      description:
        'JSON body of the acknowledge request; {id}, {topic}, {partition} and {offset} are filled in, escaped for a JSON string.',
    }),
    statuses: Statuses,
    timeout: Duration({
      default: '15s',
      description:
        'How long CXone may take for each: to accept a connection, and for a whole request from its first byte to the last byte of the response, interim responses (1xx) included.',
    }),
    maxRetryAfter: Duration({
      default: '15m',
      description: 'The longest wait for a Retry-After of CXone; a longer one is shortened to this.',
    }),
    connections: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 128,
      description:
        'Connections to CXone at most; each carries one request at a time. They are opened as they are needed.',
    }),
  },
  { additionalProperties: false },
)

export type Settings = Static<typeof Settings>
