/**
 * Every error that a sender, an operator or a caller of the API can be shown: one class, one table.
 * `docs/errors.md` is generated from the table; a test fails when the two differ.
 */

/**
 * What an error says of the world.
 * - `data`: this event is at fault. It is rejected, dead-lettered or dropped; sending it again changes nothing.
 * - `infrastructure`: something on our side is at fault. The sender is told 503 and keeps the event.
 * - `config`: what the operator wrote is at fault. Nothing is started with it.
 */
export type ErrorKind = 'data' | 'infrastructure' | 'config'

/** The same for people: the head of each section of the reference. */
export const ERROR_KINDS: { readonly [kind in ErrorKind]: string } = {
  data: 'The event is at fault. Sending it again changes nothing; `onError` of the stage decides what becomes of it.',
  infrastructure: 'Our side is at fault. The sender is answered 503 with Retry-After and keeps the event.',
  config: 'What the operator wrote is at fault. Nothing is started with it.',
}

interface ErrorEntry {
  readonly kind: ErrorKind
  /** Answer to the sender; absent where no sender can ever see the code. */
  readonly status?: number
  readonly meaning: string
  readonly action: string
}

const data = (status: number, meaning: string, action: string) =>
  ({ kind: 'data', status, meaning, action }) satisfies ErrorEntry
const infrastructure = (meaning: string, action: string) =>
  ({ kind: 'infrastructure', status: 503, meaning, action }) satisfies ErrorEntry
const config = (meaning: string, action: string) => ({ kind: 'config', meaning, action }) satisfies ErrorEntry

const ERROR_TABLE = {
  HG_INTAKE_UNAUTHENTICATED: data(
    401,
    'The request did not prove who sent it.',
    'Compare the secret and the signing settings of the sender with `verify` of this source.',
  ),
  HG_INTAKE_NOT_FOUND: data(
    404,
    'No pipeline listens at this path.',
    'Compare the URL with `path` of the sources.',
  ),
  HG_INTAKE_METHOD: data(
    405,
    'The path exists, the method is another one.',
    'Use a method that the Allow header names.',
  ),
  HG_INTAKE_TOO_LARGE: data(
    413,
    'The body is larger than the source accepts.',
    'Send less, or raise `maxBody` of the source (and `message.max.bytes` of topic and sink).',
  ),
  HG_INTAKE_MEDIA_TYPE: data(
    415,
    'The body is not declared as JSON.',
    'Send Content-Type: application/json.',
  ),
  HG_INTAKE_ENCODING: data(
    415,
    'The body is compressed in a way that the source does not accept.',
    'Send it without Content-Encoding, or add gzip to `encodings` of the source.',
  ),
  HG_INTAKE_BAD_GZIP: data(
    400,
    'The body is declared as gzip and cannot be inflated.',
    'Look at how the sender compresses it; it may have been cut short.',
  ),
  HG_INTAKE_MALFORMED: data(
    400,
    'The HTTP request itself is malformed.',
    'Look at the HTTP client of the sender.',
  ),
  HG_INTAKE_HTTP_VERSION: data(
    505,
    'The request is of another version of HTTP than 1.1 and 1.0.',
    'Set the HTTP client of the sender, or the proxy before Headgate, to HTTP/1.1.',
  ),
  HG_INTAKE_TRANSFER_ENCODING: data(
    501,
    'The request has a Transfer-Encoding other than chunked.',
    'Let the sender compress with Content-Encoding: gzip, and add gzip to `encodings` of the source.',
  ),
  HG_INTAKE_SMALL_CHUNKS: data(
    400,
    'The body came in too many small pieces.',
    'Let the sender write its body in larger pieces, or with Content-Length and at once.',
  ),
  HG_INTAKE_EXPECTATION: data(
    417,
    'The request has an Expect header other than 100-continue.',
    'Let the sender leave the Expect header out.',
  ),
  HG_TLS_EXPECTED: data(
    400,
    'The port speaks HTTPS and was spoken to in plain HTTP.',
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
    'Look at the network between sender and Headgate.',
  ),
  HG_INTAKE_NOT_UTF8: data(400, 'The body is not valid UTF-8.', 'Encode the JSON as UTF-8.'),
  HG_INTAKE_NOT_JSON: data(400, 'The body is not JSON.', 'Look at the position that the error names.'),
  HG_INTAKE_TOO_DEEP: data(
    400,
    'The JSON is nested too deeply.',
    'Send flatter JSON, or raise `maxDepth` of the source.',
  ),
  HG_INTAKE_DUPLICATE_KEY: data(
    400,
    'A top-level member stands twice in the JSON.',
    'Send each member once: readers would disagree on which one counts.',
  ),
  HG_INTAKE_NO_ID: data(
    400,
    'The event has no id where the source looks for it.',
    'Compare the event with `eventId` of the source. The id is an integer, or a string of 1 to 256 characters without control characters.',
  ),
  HG_INTAKE_BUSY: infrastructure(
    'As many events are in flight as the source allows, or as many bytes of them as the process may hold.',
    'Nothing is lost; the sender tries again. If it lasts, look at Kafka, then at `maxInFlight` of the source and at HEADGATE_MAX_BODY_MEMORY.',
  ),
  HG_INTAKE_STOPPING: infrastructure(
    'Headgate is shutting down.',
    'Nothing is lost; the sender tries again.',
  ),
  HG_INTAKE_STARTING: infrastructure(
    'Headgate is starting, and takes over from the process before it.',
    'Nothing is lost; the sender tries again. If it lasts, the log has the reason.',
  ),
  HG_INTAKE_PAUSED: infrastructure(
    'An operator has paused the pipeline.',
    'Nothing is lost; the sender tries again. `PUT /connectors/NAME/resume` of the admin listener ends it.',
  ),
  HG_INTAKE_TIMEOUT: infrastructure(
    'Kafka has not confirmed the event in time; it may still do so.',
    'Nothing is lost; the sender tries again. Look at Kafka: the reasons stand in /ready.',
  ),
  HG_SCHEMA_VIOLATION: data(
    422,
    'The event does not fit the JSON Schema.',
    'Each violation names its place in the event. Correct the sender, or the schema file.',
  ),
  HG_EVENT_TOO_COSTLY: data(
    422,
    'To check the event with a regular expression or a JSONata expression would take more work than one event may cause.',
    'The message names the rule. Make its pattern or expression simpler (repetitions such as {0,500} and nested loops cost most), let it look at a smaller part of the event, or lower `maxBody` of the source.',
  ),
  HG_SCHEMA_TOO_COSTLY: data(
    422,
    'Checking the event against the JSON Schema takes more work than one event may.',
    'Look at what the sender sends: this is what an attack looks like. If the event is a good one, change the schema: definitions that refer to themselves in several alternatives (`headgate validate` warns of them) multiply the work with each level of nesting.',
  ),
  HG_ROUTE_EXPRESSION: data(
    422,
    'The JSONata expression of a rule failed on this event.',
    'Make the expression of the named rule cope with such events, for instance with $exists().',
  ),
  HG_ROUTE_NO_MATCH: data(
    422,
    'No rule matched and the config says that such events are refused.',
    'Add a rule, or give `otherwise` a target.',
  ),
  HG_ROUTE_REFUSED: data(
    422,
    'The rule that matched says that such events are refused.',
    'Correct the sender, or give the named rule a target.',
  ),
  HG_PLUGIN_REFUSED: data(
    422,
    'A plugin that is no built-in refuses the event.',
    'The message says why. Correct the sender, or the settings of the plugin.',
  ),
  HG_RECORD_FIELD_MISSING: data(
    422,
    'The event lacks what the sink takes its key or value from.',
    'Compare the event with `key` and `value` of the sink; a schema can require the field.',
  ),
  HG_RECORD_TOO_LARGE: data(
    413,
    'The record is larger than Kafka accepts.',
    'Send less, or raise `max.message.bytes` of the topic and `message.max.bytes` of the sink.',
  ),
  HG_RECORD_REFUSED: data(
    422,
    'Kafka refuses the record itself.',
    'A compacted topic needs `key` of the sink. Else the broker log says what the topic does not accept.',
  ),
  HG_KAFKA_UNAVAILABLE: infrastructure(
    'Kafka cannot be reached, or its topics are not as the config says.',
    'Nothing is lost; the sender tries again. The reasons stand in /ready.',
  ),
  HG_KAFKA_QUEUE_FULL: infrastructure(
    'More records wait for Kafka than the client holds.',
    'Nothing is lost; the sender tries again. Look at the throughput of Kafka.',
  ),
  HG_KAFKA_NOT_DELIVERED: infrastructure(
    'Kafka did not confirm the record; whether it has it is unknown.',
    'The sender tries again, with the same event id. Look at the broker log for the reason given.',
  ),
  HG_KAFKA_FATAL: infrastructure(
    'The Kafka client gave up this session to keep order and uniqueness.',
    'A new session is opened by itself. If it repeats, look at the broker log.',
  ),
  HG_KAFKA_TOPIC_MISSING: infrastructure(
    'A topic that the config names does not exist.',
    'Create the topic (`headgate topics --create`), or correct its name at the place given.',
  ),
  HG_KAFKA_PARTITION_MISSING: config(
    'A partition that the config names does not exist.',
    'Add partitions to the topic (`headgate topics --create`), or correct the number at the place given.',
  ),
  HG_KAFKA_NOT_ALLOWED: config(
    'Kafka does not allow the client what it needs.',
    'Give the user of the sink Describe, Read and Write on its topics, and Read on the consumer group headgate.PIPELINE. `headgate validate --against-cluster` prints the commands.',
  ),
  HG_LEDGER_NOT_READY: infrastructure(
    'The ledger is still finding out what Kafka has.',
    'Nothing is lost; the sender tries again. /ready says how far the read-back is.',
  ),
  HG_STATE_WRITE: infrastructure(
    'The state directory cannot be written.',
    'Nothing is lost; the sender tries again. Free space on its disk; intake opens again by itself.',
  ),
  HG_RECORD_KEY: config(
    'The file of HEADGATE_RECORD_KEY_FILE holds no key that can be used.',
    'Put one line with at least 16 random characters into the file, and let the process read it.',
  ),
  HG_STATE_UNUSABLE: config(
    'The state directory cannot be used.',
    'Give the process a directory that it may write: HEADGATE_STATE_DIR.',
  ),
  HG_STATE_FULL: config(
    'The disk of the state directory has no room for the index.',
    'Free space on its disk (1 MiB, and as much as ledger.mdb has after an unclean end), then start again. Nothing is lost.',
  ),
  HG_STATE_LOCKED: config(
    'Another process uses the state directory, and has not handed it over where it was asked to (HEADGATE_TAKEOVER).',
    'Stop the other one, or give each its own HEADGATE_STATE_DIR.',
  ),
  HG_STATE_NEWER: config(
    'The state was written by a newer version.',
    'Use that version, or remove the directory: it is made anew from Kafka.',
  ),
  HG_LEDGER_FULL: infrastructure(
    'As many events wait to be acknowledged to their sender as the config allows.',
    'Nothing is lost; the sender tries again. Look at the acknowledge API of the sender.',
  ),
  HG_ACK_RETRY: infrastructure(
    'An acknowledgement did not succeed and is tried again.',
    'Usually none. If it lasts, the log names the status or the network error.',
  ),
  HG_ACK_TOKEN: infrastructure(
    'No access token could be had.',
    'Check the token URL, the client id and the client secret. The log names the status.',
  ),
  HG_ACK_UNREACHABLE: infrastructure(
    'The API that events are acknowledged to cannot be reached.',
    'Check `baseUrl`, DNS, firewalls and certificates from where Headgate runs.',
  ),
  HG_ACK_REQUEST: infrastructure(
    'The acknowledge request cannot be made from this event, now or later.',
    'The message names the value. Compare the placeholders of `path` and `body` with what such events have.',
  ),
  HG_ACK_GAVE_UP: infrastructure(
    'The sender refused an acknowledgement for good, or the deadline for retries passed.',
    'The record is in Kafka. Look at the named event in the sender; it may deliver it again.',
  ),
  HG_LISTEN_FAILED: config(
    'The address to listen on cannot be had.',
    'Free the port, or choose another address with the HOST and PORT settings of the process.',
  ),
  HG_WORKER_FAILED: config(
    'A worker process did not start, or did not do what it was asked for.',
    'The log has the lines of the worker, by its number. While Headgate runs, it is replaced by itself.',
  ),
  HG_TLS_CERTIFICATE: config(
    'A certificate, its key or the authority for client certificates cannot be used.',
    'Look at the file that the message names. While Headgate runs, the certificate before it stays in use.',
  ),
  HG_ADMIN_EXPOSED: config(
    'The admin listener would be open to strangers.',
    'Set HEADGATE_ADMIN_TOKEN_FILE to a file of tokens, or to `none` to serve health, readiness and metrics only; or listen on 127.0.0.1.',
  ),
  HG_ADMIN_QUESTION: infrastructure(
    'A config that the admin API was asked about could not be checked in time.',
    'Ask again later, or run `headgate validate` on the file, which has no time limit.',
  ),
  HG_ADMIN_TOKEN: config(
    'The file of admin tokens cannot be used.',
    'Put a token of at least 16 characters into it, one a line, and let the process read it.',
  ),
  HG_TAP_REFUSED: config(
    'What a tap asked for cannot be.',
    'The message names the parameter and what it may be; `headgate tap --help` lists them.',
  ),
  HG_TAP_BUSY: config(
    'As many taps are open as there may be.',
    'End another one, or wait until it has ended; `headgate_tap_subscribers` counts them.',
  ),
  HG_PROBE_TIMEOUT: infrastructure(
    'A check against the outside did not end in time.',
    'Look at what it connects to; `--timeout` of `headgate validate` gives it longer.',
  ),
  HG_PLUGIN_FAILED: infrastructure(
    'A plugin failed in a way it should not.',
    'The log has the stack. Please report it to the author of the plugin.',
  ),
  HG_CONFIG_UNREADABLE: config('A file cannot be read.', 'Check the path and the permissions.'),
  HG_CONFIG_SYNTAX: config(
    'The file is not JSON.',
    'Correct it at the place given. Comments and trailing commas are fine.',
  ),
  HG_CONFIG_DUPLICATE_KEY: config('A key stands twice in one object.', 'Remove one of the two.'),
  HG_CONFIG_UNKNOWN_KEY: config(
    'There is no such setting.',
    'Correct the name; `headgate plugins NAME` lists the settings.',
  ),
  HG_CONFIG_MISSING_KEY: config(
    'A required setting is missing.',
    'Add it; `headgate plugins NAME` says what it means.',
  ),
  HG_CONFIG_VALUE: config(
    'A setting has a value that it cannot have.',
    'Use what the message says is expected.',
  ),
  HG_CONFIG_PLUGIN: config('There is no such plugin of this kind.', '`headgate plugins` lists them.'),
  HG_CONFIG_PLUGIN_LOAD: config(
    'A plugin that is no built-in cannot be loaded.',
    'The message says what failed. Correct the path, install the package beside the config file, or ask its author.',
  ),
  HG_CONFIG_PROVIDER: config(
    'A ${...} reference cannot be resolved.',
    'Set the variable or provide the file before starting.',
  ),
  HG_CONFIG_POINTER: config(
    'A JSON Pointer is malformed.',
    'Write it as RFC 6901 says, for example /payload/region.',
  ),
  HG_CONFIG_REGEX: config(
    'A regular expression is malformed, or too costly.',
    'Use RE2 syntax: no look-around, no back-references, no large repetitions.',
  ),
  HG_CONFIG_JSONATA: config(
    'A JSONata expression is malformed or not allowed.',
    'Correct it at the position given.',
  ),
  HG_CONFIG_SCHEMA_FILE: config('A JSON Schema file cannot be used.', 'Correct the file at the path given.'),
  HG_CONFIG_CONFLICT: config('Two settings exclude each other.', 'Change one of the two places.'),
  HG_RELOAD_RESTART: config(
    'The new config has a change that a running process cannot make.',
    'The old config goes on. For another cluster or a topic that was deleted and created again: restart Headgate, which then forgets the events of the old one; or give the pipeline another name.',
  ),
  HG_RELOAD_FAILED: config(
    'A stage of the new config could not be started, or does not take events.',
    'The old config goes on. Look at the reason given; the reload is tried again by itself, on SIGHUP and on POST /config/reload.',
  ),
  HG_CONFIG_UNVERIFIED: config(
    'A source takes events from anyone, on an address that is not loopback.',
    'Configure `verify`, listen on 127.0.0.1, or set HEADGATE_ALLOW_UNVERIFIED=true.',
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERROR_TABLE

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = ERROR_TABLE

/** One thing that is wrong with an event, at a place in it. */
export interface Violation {
  /** JSON Pointer into the event. */
  readonly pointer: string
  readonly message: string
}

interface ErrorDetails {
  readonly violations?: readonly Violation[]
  /** The rule that decided, where one did. */
  readonly rule?: string
  /** When to try again, for infrastructure errors; seconds. */
  readonly retryAfter?: number
  /** True where what failed may have happened all the same. */
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
   * A plugin from outside may have imported a copy of this module of its own: its errors are errors all the same, unless
   * that copy is newer and the code is none of ours.
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
    // For authors without types: an unknown code would be found out where the sender is answered, which is too late.
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

/** Whatever was thrown, as a HeadgateError: what is not one already is a fault of `origin` (a plugin, a stage). */
export function asHeadgateError(thrown: unknown, origin: string): HeadgateError {
  if (thrown instanceof HeadgateError) return thrown
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return new HeadgateError('HG_PLUGIN_FAILED', `${origin} failed: ${reason}`, { cause: thrown })
}
