/**
 * Every error that a sender, an operator or a caller of the API can see: one class, one table.
 * `docs/errors.md` is generated from the table; a test fails when the two differ.
 */

/**
 * The side that an error blames.
 * - `data`: the event. It is rejected, dead-lettered or dropped; sending it again changes nothing.
 * - `infrastructure`: our side. The sender gets 503, and keeps the event.
 * - `limit`: the number of events. The sender gets 429, and keeps the event.
 * - `config`: the config or a setting. Headgate starts nothing with it.
 */
export type ErrorKind = 'data' | 'infrastructure' | 'limit' | 'config'

/** The introduction to each section of the reference. */
export const ERROR_KINDS: { readonly [kind in ErrorKind]: string } = {
  data: 'The event is at fault. Sending it again changes nothing; `onError` of the stage decides whether it is rejected, dead-lettered or dropped.',
  infrastructure: 'Our side is at fault. The sender gets 503 with Retry-After, and keeps the event.',
  limit: 'The sender sends more than the config allows. It gets 429 with Retry-After, and keeps the event.',
  config: 'The config or a setting is at fault. Headgate starts nothing with it.',
}

interface ErrorEntry {
  readonly kind: ErrorKind
  /** Status of the response; absent if no sender can ever see the code. */
  readonly status?: number
  readonly meaning: string
  readonly action: string
}

const data = (status: number, meaning: string, action: string) =>
  ({ kind: 'data', status, meaning, action }) satisfies ErrorEntry
const infrastructure = (meaning: string, action: string) =>
  ({ kind: 'infrastructure', status: 503, meaning, action }) satisfies ErrorEntry
const limit = (meaning: string, action: string) =>
  ({ kind: 'limit', status: 429, meaning, action }) satisfies ErrorEntry
const config = (meaning: string, action: string) => ({ kind: 'config', meaning, action }) satisfies ErrorEntry

const ERROR_TABLE = {
  HG_INTAKE_UNAUTHENTICATED: data(
    401,
    'The request did not prove who sent it.',
    'Compare the secret and the signing settings of the sender with `verify` of this source.',
  ),
  HG_INTAKE_NOT_ALLOWED: data(
    403,
    'The source does not accept requests from the address of the sender.',
    'If the sender may send from there, add its network to `allow` of the source. Behind a proxy, name its network in `trustedProxies`.',
  ),
  HG_INTAKE_NOT_FOUND: data(
    404,
    'No pipeline listens at this path.',
    'Compare the URL with `path` of the sources.',
  ),
  HG_INTAKE_METHOD: data(
    405,
    'The path does not accept this method.',
    'Use one of the methods in the Allow header.',
  ),
  HG_INTAKE_TOO_LARGE: data(
    413,
    'The body is larger than `maxBody` of the source.',
    'Send a smaller body, or raise `maxBody` of the source (and `max.message.bytes` of the topic and `message.max.bytes` of the sink).',
  ),
  HG_INTAKE_MEDIA_TYPE: data(
    415,
    'The source does not accept the Content-Type of the body.',
    'Send one of the types in the Accept header, in UTF-8, or add the format to `body.formats` of the source.',
  ),
  HG_INTAKE_ENCODING: data(
    415,
    'The source does not accept the Content-Encoding of the body.',
    'Send it without Content-Encoding, or add gzip to `encodings` of the source.',
  ),
  HG_INTAKE_BAD_GZIP: data(
    400,
    'The body is declared as gzip but cannot be decompressed.',
    'Check how the sender compresses the body; it may have been cut short.',
  ),
  HG_INTAKE_MALFORMED: data(
    400,
    'The HTTP request itself is malformed.',
    'Check the HTTP client of the sender, and any proxy in front of Headgate.',
  ),
  HG_INTAKE_HTTP_VERSION: data(
    505,
    'The request uses a version of HTTP other than 1.1 and 1.0.',
    'Set the HTTP client of the sender, or the proxy in front of Headgate, to HTTP/1.1. HTTP/2 needs HTTPS, and ALPN in its handshake.',
  ),
  HG_INTAKE_TRANSFER_ENCODING: data(
    501,
    'The request has a Transfer-Encoding other than chunked.',
    'Configure the sender to compress with Content-Encoding: gzip, and add gzip to `encodings` of the source.',
  ),
  HG_INTAKE_SMALL_CHUNKS: data(
    400,
    'The body arrived in too many small pieces.',
    'Configure the sender to write its body in larger pieces, or at once with Content-Length.',
  ),
  HG_INTAKE_EXPECTATION: data(
    417,
    'The request has an Expect header other than 100-continue.',
    'Configure the sender not to send the Expect header.',
  ),
  HG_TLS_EXPECTED: data(
    400,
    'The request was plain HTTP, but the port speaks HTTPS.',
    'Use https:// in the URL of the sender.',
  ),
  HG_INTAKE_HEADERS_TOO_LARGE: data(
    431,
    'The request headers are too large.',
    'Send fewer or shorter headers.',
  ),
  HG_INTAKE_TOO_SLOW: data(
    408,
    'The request did not arrive in time.',
    'Check the network between the sender and Headgate.',
  ),
  HG_INTAKE_NOT_UTF8: data(400, 'The body is not valid UTF-8.', 'Encode the body as UTF-8.'),
  HG_INTAKE_NOT_JSON: data(
    400,
    'The body is not valid JSON.',
    'The error names the position in the body; correct the sender.',
  ),
  HG_INTAKE_BODY_MALFORMED: data(
    400,
    'The body is not the form, XML or multipart body that its Content-Type declares, or it is XML with a DOCTYPE.',
    'The error says what is wrong, and where it can, at which place; correct the sender.',
  ),
  HG_INTAKE_TOO_MANY_FIELDS: data(
    400,
    'The form, multipart body or XML document has too many fields.',
    'Send fewer fields, or raise `body.maxFields` of the source.',
  ),
  HG_INTAKE_TOO_DEEP: data(
    400,
    'The JSON or XML is nested too deeply.',
    'Send a flatter body, or raise `maxDepth` of the source.',
  ),
  HG_INTAKE_NO_BATCH: data(
    400,
    'The body has nothing at the location that `split` of the source names.',
    'Compare the body of the sender with `split.at`.',
  ),
  HG_INTAKE_TOO_MANY_ITEMS: data(
    413,
    'The request has more events than the source accepts at once.',
    'Send smaller batches, or raise `split.maxItems` of the source.',
  ),
  HG_INTAKE_DUPLICATE_KEY: data(
    400,
    'The JSON has a top-level key twice.',
    'Send each key once: readers would disagree on which one counts.',
  ),
  HG_INTAKE_NO_ID: data(
    400,
    'The event has no valid id at the location that `eventId` of the source names.',
    'Compare the event with `eventId` of the source. The id is an integer, or a string of 1 to 256 characters without control characters.',
  ),
  HG_INTAKE_HANDSHAKE: data(
    400,
    'The request asks for a handshake, but has no valid value to echo.',
    'Compare the request with `handshake` of this source.',
  ),
  HG_INTAKE_BUSY: infrastructure(
    'The limit of events in flight is reached: their number (`maxInFlight`), or their size in memory (HEADGATE_MAX_BODY_MEMORY).',
    'Nothing is lost; the sender tries again. If it lasts, check whether Kafka is slow, then raise `maxInFlight` of the source or HEADGATE_MAX_BODY_MEMORY.',
  ),
  HG_INTAKE_LIMIT_PIPELINE: limit(
    'All senders of the pipeline together send more than `rateLimit.pipeline` of the source allows.',
    'Nothing is lost; the sender tries again. If the sender and Kafka can bear more, raise `rate` or `burst`.',
  ),
  HG_INTAKE_LIMIT_KEY: limit(
    'The owner of a key or token sends more than `rateLimit.key` of the source allows.',
    'Nothing is lost; the sender tries again. If it may send more, raise `rate` or `burst`.',
  ),
  HG_INTAKE_LIMIT_ADDRESS: limit(
    'An address sends more than `rateLimit.address` of the source allows.',
    'Nothing is lost; the sender tries again. If it may send more, raise `rate` or `burst`. If all senders seem to have one address, name your proxies in `trustedProxies`.',
  ),
  HG_INTAKE_KEYS: infrastructure(
    'The public keys of the issuer of tokens cannot be fetched or used.',
    'Nothing is lost; the sender tries again. The log has the reason: check `keys` of `verify`, and the network between Headgate and the issuer.',
  ),
  HG_INTAKE_STOPPING: infrastructure(
    'Headgate is shutting down.',
    'Nothing is lost; the sender tries again.',
  ),
  HG_INTAKE_STARTING: infrastructure(
    'Headgate is starting, and has not yet taken over from the previous process.',
    'Nothing is lost; the sender tries again. If it lasts, read the reason in the log.',
  ),
  HG_INTAKE_PAUSED: infrastructure(
    'An operator has paused the pipeline.',
    'Nothing is lost; the sender tries again. Resume the pipeline with `PUT /connectors/NAME/resume` on the admin port.',
  ),
  HG_INTAKE_TIMEOUT: infrastructure(
    'Kafka did not confirm the event in time; it may still do so.',
    'Nothing is lost; the sender tries again. Check Kafka; /ready shows the reasons.',
  ),
  HG_SCHEMA_VIOLATION: data(
    422,
    'The event does not match the JSON Schema.',
    'Each violation names its JSON Pointer in the event. Correct the sender, or the schema file.',
  ),
  HG_EVENT_TOO_COSTLY: data(
    422,
    'Evaluating a regular expression or a JSONata expression on the event would exceed the work allowed for one event.',
    'The message names the rule. Make its pattern or expression simpler (repetitions such as {0,500} and nested loops cost most), let it look at a smaller part of the event, or lower `maxBody` of the source.',
  ),
  HG_SCHEMA_TOO_COSTLY: data(
    422,
    'Checking the event against the JSON Schema would exceed the work allowed for one event.',
    'Check the event: it may be an attack. If the event is legitimate, change the schema: definitions that refer to themselves in several alternatives (`headgate validate` warns of them) multiply the work with each level of nesting.',
  ),
  HG_ROUTE_EXPRESSION: data(
    422,
    'The JSONata expression of a rule failed on this event.',
    'Change the expression of the named rule so that it accepts such events, for instance with $exists().',
  ),
  HG_ROUTE_NO_MATCH: data(
    422,
    'No rule matched, and `otherwise` of the config rejects such events.',
    'Add a rule, or give `otherwise` a target.',
  ),
  HG_ROUTE_REFUSED: data(
    422,
    'The rule that matched rejects such events.',
    'Correct the sender, or give the named rule a target.',
  ),
  HG_PLUGIN_REFUSED: data(
    422,
    'An external plugin rejected the event.',
    'Read the reason in the message. Correct the sender, or the settings of the plugin.',
  ),
  HG_RECORD_FIELD_MISSING: data(
    422,
    'The event lacks a field that `key` or `value` of the sink names.',
    'Compare the event with `key` and `value` of the sink; a schema can require the field.',
  ),
  HG_RECORD_TOO_LARGE: data(
    413,
    'The record is larger than Kafka accepts.',
    'Send a smaller event, or raise `max.message.bytes` of the topic and `message.max.bytes` of the sink.',
  ),
  HG_RECORD_REFUSED: data(
    422,
    'Kafka rejected the record itself.',
    'For a compacted topic, set `key` of the sink. Otherwise, read the reason in the broker log.',
  ),
  HG_INBOX_RECORD: {
    kind: 'data',
    meaning: 'A record of an inbox is not one that this release of Headgate reads.',
    action:
      'The message says what is wrong. If a newer release wrote the record, upgrade every instance and replay the dead letter; otherwise, find the program that writes to the inbox: only Headgate should have the right to.',
  },
  HG_KAFKA_UNAVAILABLE: infrastructure(
    'Kafka cannot be reached, or its topics do not match the config.',
    'Nothing is lost; the sender tries again. /ready shows the reasons.',
  ),
  HG_KAFKA_QUEUE_FULL: infrastructure(
    'The send queue of the Kafka client is full.',
    'Nothing is lost; the sender tries again. Check the throughput of Kafka.',
  ),
  HG_KAFKA_NOT_DELIVERED: infrastructure(
    'Kafka did not confirm the record, so it may or may not have been written.',
    'The sender tries again, with the same event id, and Headgate finds out whether it is a duplicate. Read the reason in the broker log.',
  ),
  HG_KAFKA_FATAL: infrastructure(
    'The Kafka client ended its session, because it could no longer guarantee order and uniqueness.',
    'Headgate opens a new session by itself. If it repeats, check the broker log.',
  ),
  HG_KAFKA_TOPIC_MISSING: infrastructure(
    'A topic that the config names does not exist.',
    'Create the topic (`headgate topics --create`), or correct its name on the line that the message names.',
  ),
  HG_KAFKA_PARTITION_MISSING: config(
    'A partition that the config names does not exist.',
    'Add partitions to the topic (`headgate topics --create`), or correct the number on the line that the message names.',
  ),
  HG_INBOX_UNSUPPORTED: config(
    'The cluster does not support the transactions that an inbox needs.',
    'Use a cluster with transactions (Apache Kafka since 2.5; Azure Event Hubs in its premium and dedicated tiers), or remove "inbox" from the pipeline and run one instance of it.',
  ),
  HG_INBOX_COMPACTED: config(
    'The topic of an inbox is compacted: Kafka deletes accepted events before they are worked off.',
    'Set cleanup.policy=delete for the topic.',
  ),
  HG_INBOX_BEFORE: config(
    'The pipeline had no inbox until now, or another one, or a source with topics, and something of that time is left to do.',
    'Stop every instance that has the config of before. If something is left, start one again with that config until `headgate ledger` shows nothing. docs/scaling.md has the steps.',
  ),
  HG_KAFKA_NOT_ALLOWED: config(
    'The Kafka user lacks rights that the sink needs.',
    'Grant the user of the sink Describe, Read and Write on its topics, and Read on the consumer groups headgate.PIPELINE and headgate.PIPELINE.instances; with an inbox, Read on headgate.PIPELINE.acknowledged instead of the latter, and Describe and Write on transactional ids that begin with headgate.PIPELINE. (the dot included). `headgate validate --against-cluster` prints the commands.',
  ),
  HG_LEDGER_NOT_READY: infrastructure(
    'Recovery is not complete: the ledger is still reading the records in Kafka.',
    'Nothing is lost; the sender tries again. /ready shows the progress.',
  ),
  HG_LEDGER_STANDBY: infrastructure(
    'Another instance of the pipeline is active, and this one is a standby: only one takes events if the pipeline has no inbox.',
    'Nothing is lost; the sender tries again. Send events to the instance that the message names; this one takes over when that one stops. If it is another pipeline with the same name, rename one of them. For several active instances, give the pipeline an inbox.',
  ),
  HG_LEDGER_UNDECIDED: infrastructure(
    'It is not known whether another instance of the pipeline is active, and only one takes events if the pipeline has no inbox.',
    'Nothing is lost; the sender tries again. The message and /ready say what is missing: mostly Kafka does not respond, or the user of the sink lacks the right Read on the consumer group that the message names.',
  ),
  HG_LEDGER_INBOX: infrastructure(
    'The pipeline had an inbox, or its source had other topics, until now, and something in them is left to do.',
    'Nothing is lost; the sender tries again, and records stay in their topics. Give the pipeline its former config back until `headgate ledger` shows that no event of an inbox and no acknowledgement is left, and stop every instance with it. docs/scaling.md and docs/source-kafka.md have the steps.',
  ),
  HG_STATE_WRITE: infrastructure(
    'Headgate cannot write to the state directory.',
    'Nothing is lost; the sender tries again. Free space on its disk; the intake then opens again by itself.',
  ),
  HG_RECORD_KEY: config(
    'The file that HEADGATE_RECORD_KEY_FILE names has no valid key.',
    'Put one line with at least 16 random characters into the file, and give the process the right to read it.',
  ),
  HG_STATE_UNUSABLE: config(
    'Headgate cannot use the state directory.',
    'Set HEADGATE_STATE_DIR to a directory that the process can write to.',
  ),
  HG_STATE_FULL: config(
    'The disk of the state directory has too little free space for the index.',
    'Free space on its disk (1 MiB, and as much as ledger.mdb has after an unclean end), then start again. Nothing is lost.',
  ),
  HG_STATE_LOCKED: config(
    'Another process uses the state directory, and did not release it when HEADGATE_TAKEOVER asked it to.',
    'Stop the other process, or set another HEADGATE_STATE_DIR.',
  ),
  HG_STATE_NEWER: config(
    'A newer version of Headgate wrote the state directory.',
    'Run that version, or remove the directory: Headgate rebuilds it from Kafka.',
  ),
  HG_LEDGER_FULL: infrastructure(
    'The limit of pending acknowledgements is reached.',
    'Nothing is lost; the sender tries again. Check the acknowledge API of the sender.',
  ),
  HG_ACK_RETRY: infrastructure(
    'An acknowledgement failed, and Headgate retries it.',
    'Usually nothing to do. If it lasts, read the status or the network error in the log.',
  ),
  HG_ACK_TOKEN: infrastructure(
    'The token endpoint did not issue an access token.',
    'Check the token URL, the client id and the client secret. Read the status in the log.',
  ),
  HG_ACK_UNREACHABLE: infrastructure(
    'The acknowledge API cannot be reached.',
    'Check `baseUrl`, DNS, firewalls and certificates on the machine that runs Headgate.',
  ),
  HG_ACK_REQUEST: infrastructure(
    'The event lacks a value that the acknowledge request needs; retrying does not help.',
    'The message names the value. Compare the placeholders of `path` and `body` with such an event.',
  ),
  HG_ACK_GAVE_UP: infrastructure(
    'An acknowledgement failed for good: the sender rejected it, or the deadline for retries passed.',
    'The record is in Kafka. Look the named event up in the sender, which may deliver it again; `headgate ledger retry` tries again.',
  ),
  HG_LISTEN_FAILED: config(
    'Headgate cannot listen on its address.',
    'The message says why. Free the port, or choose another address with the HOST and PORT settings of the process.',
  ),
  HG_WORKER_FAILED: config(
    'A worker process did not start, or did not respond.',
    'Find the lines of the worker in the log, by its number. While Headgate runs, it replaces the worker by itself.',
  ),
  HG_TLS_CERTIFICATE: config(
    'Headgate cannot use a certificate, its key or the authority for client certificates.',
    'Check the file that the message names. While Headgate runs, the previous certificate stays in use.',
  ),
  HG_ADMIN_EXPOSED: config(
    'Anyone who can reach the admin port could use the admin API: its address is not loopback, and HEADGATE_ADMIN_TOKEN_FILE is not set.',
    'Set HEADGATE_ADMIN_TOKEN_FILE to a file of tokens, or to `none` to serve health, readiness and metrics only; or listen on 127.0.0.1.',
  ),
  HG_ADMIN_QUESTION: infrastructure(
    'The admin API could not check a config or try an event in time.',
    'Try again later, or run `headgate validate`, `headgate explain` or `headgate diff`, which have no time limit.',
  ),
  HG_ADMIN_TOKEN: config(
    'The file that HEADGATE_ADMIN_TOKEN_FILE names has no valid tokens.',
    'Write tokens of at least 16 characters into it, one a line, and give the process the right to read it.',
  ),
  HG_TAP_REFUSED: config(
    'A parameter of a tap is invalid.',
    'The message names the parameter and its valid values; `headgate tap --help` lists them.',
  ),
  HG_TAP_BUSY: config(
    'The limit of open taps is reached.',
    'End another tap, or wait until one ends; `headgate_tap_subscribers` counts them.',
  ),
  HG_PROBE_TIMEOUT: infrastructure(
    'A check against the cluster or the acknowledge API did not end in time.',
    'Check the service that it connects to, or raise `--timeout` of `headgate validate`.',
  ),
  HG_PLUGIN_FAILED: infrastructure(
    'The plugin threw an unexpected error.',
    'Report the stack in the log to the author of the plugin.',
  ),
  HG_CONFIG_UNREADABLE: config('Headgate cannot read a file.', 'Check its path and permissions.'),
  HG_CONFIG_SYNTAX: config(
    'The file is not valid JSON.',
    'Correct the line that the message names. Comments and trailing commas are allowed.',
  ),
  HG_CONFIG_DUPLICATE_KEY: config('An object has the same key twice.', 'Remove one of the two.'),
  HG_CONFIG_UNKNOWN_KEY: config(
    'The setting does not exist.',
    'Correct the name; `headgate plugins NAME` lists the settings.',
  ),
  HG_CONFIG_MISSING_KEY: config(
    'A required setting is missing.',
    'Add it; `headgate plugins NAME` explains it.',
  ),
  HG_CONFIG_VALUE: config(
    'A setting has an invalid value.',
    'Use one of the values that the message expects.',
  ),
  HG_CONFIG_PLUGIN: config('No plugin of this kind has this name.', '`headgate plugins` lists them.'),
  HG_CONFIG_PLUGIN_LOAD: config(
    'Headgate cannot load an external plugin.',
    'Read the reason in the message. Correct the path, install the package in the folder of the config file, or ask its author.',
  ),
  HG_CONFIG_PROVIDER: config(
    'A ${...} reference cannot be resolved.',
    'Set the variable or create the file before the start.',
  ),
  HG_CONFIG_POINTER: config(
    'A JSON Pointer is malformed.',
    'Write it in the form of RFC 6901, for example /payload/region.',
  ),
  HG_CONFIG_REGEX: config(
    'A regular expression is malformed, or too costly.',
    'Use RE2 syntax: no look-around, no back-references, no large repetitions.',
  ),
  HG_CONFIG_JSONATA: config(
    'A JSONata expression is malformed or not allowed.',
    'Correct it at the position that the message names.',
  ),
  HG_CONFIG_SCHEMA_FILE: config(
    'Headgate cannot use a JSON Schema file.',
    'Correct the file that the message names.',
  ),
  HG_CONFIG_CONFLICT: config('Two settings exclude each other.', 'Change one of the two.'),
  HG_RELOAD_RESTART: config(
    'The new config has a change that needs a restart.',
    'The old config stays in use. For another cluster or a topic that was deleted and created again: restart Headgate, which then forgets the events of the old one; or give the pipeline another name. For a change of the inbox: restart Headgate.',
  ),
  HG_RELOAD_FAILED: config(
    'The new config could not be checked in time, or one of its stages did not start or does not accept events.',
    'The old config stays in use. Read the reason in the message; Headgate retries the reload by itself, on SIGHUP and on POST /config/reload.',
  ),
  HG_CONFIG_UNVERIFIED: config(
    'A source accepts events from anyone, on an address that is not loopback.',
    'Configure `verify`, listen on 127.0.0.1, or set HEADGATE_ALLOW_UNVERIFIED=true.',
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERROR_TABLE

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = ERROR_TABLE

/** One fault of an event. */
export interface Violation {
  /** JSON Pointer into the event. */
  readonly pointer: string
  readonly message: string
}

interface ErrorDetails {
  readonly violations?: readonly Violation[]
  /** The rule that decided, if any. */
  readonly rule?: string
  /** When to try again, for errors of infrastructure and limits; seconds. */
  readonly retryAfter?: number
  /** True if the failed operation may have succeeded all the same. */
  readonly uncertain?: boolean
  readonly cause?: unknown
}

const BRAND = Symbol.for('headgate.error')

const isCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code)

/** The one error class. `message` is for people, in one sentence, and never holds a secret. */
export class HeadgateError extends Error {
  get [BRAND](): true {
    return true
  }

  /**
   * An external plugin may have imported its own copy of this module: its errors count all the same, unless that copy is
   * newer and this one does not have the code.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return (
      typeof value === 'object' && value !== null && BRAND in value && isCode((value as HeadgateError).code)
    )
  }

  override readonly name = 'HeadgateError'
  readonly code: ErrorCode
  readonly violations: readonly Violation[]
  readonly rule: string | undefined
  readonly retryAfter: number | undefined
  readonly uncertain: boolean

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    // For authors without types: otherwise, an unknown code would be found only during the response, which is too late.
    if (!isCode(code)) throw new TypeError(`There is no error code ${JSON.stringify(code)}.`)
    this.code = code
    this.violations = details.violations ?? []
    this.rule = details.rule
    this.retryAfter = details.retryAfter
    this.uncertain = details.uncertain ?? false
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind
  }

  /** HTTP status for the sender. */
  get status(): number {
    return ERRORS[this.code].status ?? 503
  }
}

/** The thrown value as a HeadgateError: any other error is a fault of `origin` (a plugin, a stage). */
export function asHeadgateError(thrown: unknown, origin: string): HeadgateError {
  if (thrown instanceof HeadgateError) return thrown
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return new HeadgateError('HG_PLUGIN_FAILED', `${origin} failed: ${reason}`, { cause: thrown })
}
