import type { Static } from 'typebox'
import { variants } from '../../../contract/index.js'
import { Type } from '../../../lib/json/pointer.js'

const clientCredentials = Type.Object(
  { type: Type.Literal('client_credentials') },
  { description: 'The client itself is the one who acts.', additionalProperties: false },
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

const grant = variants('type', 'What the token is asked for with.', {
  client_credentials: clientCredentials,
  password,
  access_key: accessKey,
})

/** How access tokens are had (OAuth 2.0, RFC 6749). */
export const OAuth = Type.Object(
  {
    tokenUrl: Type.String({
      pattern: '^(/|https?://)[^\\s#]*$',
      expected: 'a path such as "/oauth/token", or an http or https URL',
      default: '/oauth/token',
      description: 'Where tokens are issued: a path below `baseUrl`, or a whole URL.',
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
        description: 'What the token is asked to allow. Empty: whatever the client is allowed.',
      },
    ),
  },
  { default: {}, additionalProperties: false, description: 'How access tokens are had (OAuth 2.0).' },
)
