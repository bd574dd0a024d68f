import type { Static } from 'typebox'
import { Type } from '../../../lib/json/pointer.js'
import { NetworkList } from '../../../lib/networks.js'
import { Duration, Size } from '../../../lib/units.js'
import { Split } from './batch.js'
import { Body } from './body.js'
import { Encodings } from './content-encoding.js'
import { EventId } from './event-id.js'
import { Handshake } from './handshake/settings.js'
import { RateLimit } from './rate-limits.js'
import { Responses } from './responses.js'
import { SENDERS } from './senders/index.js'
import { Verify } from './verify/schemes.js'
import { Secrets } from './verify/verifier.js'

export const settings = Type.Object(
  {
    path: Type.String({
      pattern: "^/$|^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+/?$",
      expected: 'a path such as "/webhook/orders", without query and without "%"',
      description: 'The path that the sender posts to. It is compared exactly; a query may follow it.',
    }),
    sender: Type.Optional(
      Type.Enum(
        SENDERS.map(({ name }) => name),
        {
          description:
            'The sender, if Headgate knows it: stands for `eventId`, `verify`, `handshake`, `body`, `split`, `responses` and `responseTimeout` as that sender needs them. Each of them can be overridden, or left out by null. `headgate senders NAME` shows its settings.',
        },
      ),
    ),
    secrets: Type.Optional(
      Secrets(
        'With `sender`: the secrets or keys that it has for this source. List the old and the new one while you change them.',
      ),
    ),
    publicUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#\\s]+(/[^?#\\s]*)?$',
        expected: 'a URL such as "https://hooks.example.com", without query',
        description:
          'The URL at which senders reach the listener, for senders that sign it: scheme, host, and the path that a proxy removes. The path of the source and the query follow it.',
      }),
    ),
    trustedProxies: Type.Optional(
      NetworkList(
        'The networks of your proxies and load balancers. For a request that comes from them, the sender is the right-most address in Forwarded or X-Forwarded-For that is in none of these networks. Without it, the sender is the other end of the connection.',
      ),
    ),
    allow: Type.Optional(
      NetworkList(
        'The networks that senders are in. A request from another address gets 403 before its body is read. Behind a proxy, this needs `trustedProxies`.',
      ),
    ),
    methods: Type.Array(Type.Enum(['POST', 'PUT']), {
      minItems: 1,
      uniqueItems: true,
      default: ['POST'],
      description: 'The HTTP methods that deliver events.',
    }),
    eventId: EventId,
    verify: Verify,
    handshake: Type.Optional(Handshake),
    body: Body,
    split: Type.Optional(Split),
    maxBody: Size({
      default: '980KiB',
      description:
        'A larger body gets 413. The default leaves room for key and headers in the largest record that Kafka takes by default (1,048,588 bytes).',
    }),
    encodings: Encodings,
    maxDepth: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 64,
      description: 'How deeply arrays and objects in the body may be nested.',
    }),
    maxInFlight: Type.Integer({
      minimum: 1,
      default: 500,
      description:
        'How many events may wait for Kafka at a time. Beyond that the sender gets 503 and tries again; the items of a batch wait for room.',
    }),
    rateLimit: Type.Optional(RateLimit),
    responseTimeout: Duration({
      default: '15s',
      description:
        'The sender gets 503 if Kafka has not confirmed its event by then; the event stays in flight. Set it below the time-out of the sender.',
    }),
    responses: Responses,
  },
  { additionalProperties: false },
)

export type Settings = Static<typeof settings>
