import { ERRORS, type ErrorCode, type Violation } from '../../contract/errors.js'
import type { LoggedRecord } from '../../contract/index.js'
import { type FoundLetter, type Prospect, prospectOf, readLetter } from '../../dead-letters/find.js'
import { judge } from '../../dead-letters/judge.js'
import { readLetterRef } from '../../dead-letters/letter.js'
import { jsonOf } from '../../dead-letters/shown-body.js'
import { hexLines } from '../../lib/hex-lines.js'
import { isText } from '../../lib/is-text.js'
import { prettyLines } from '../../lib/json/pretty-lines.js'
import { codeFrame } from '../../lib/terminal/frames.js'
import { cut, pairs, printable, printableLines, section } from '../../lib/terminal/text.js'
import { type Command, EXIT } from '../command.js'
import { FAILED_ACK, formatProspect, formatStatus } from './list.js'
import { PIPELINE_OPTIONS, wrongPlace } from './selection.js'
import { withDeadLetters } from './session.js'

const MOST_FRAMES = 10
const MOST_CHARACTERS = 4000
/** Of a value that is no text. */
const MOST_BYTES = 512
/** Without a terminal. */
const WIDTH = 120

export const dlqShowCommand: Command = {
  name: 'show',
  summary:
    'Shows one dead letter: the reason, the part of the event that caused it, its headers and its bytes.',
  arguments: [{ name: '<place>', description: 'Partition and offset as shown by "list", such as 0:12.' }],
  options: [
    ...PIPELINE_OPTIONS,
    { flags: '--raw', description: 'Only the bytes of the event, exactly as they were received.' },
  ],
  async run({ arguments: [place = ''], options }, io) {
    const named = readLetterRef(place)
    if (named === undefined) {
      io.err(`${wrongPlace(place)}
`)
      return EXIT.usage
    }
    return withDeadLetters(options, io, false, async ({ delivery, log, topic }) => {
      const one = await readLetter(
        log,
        { ...named, topic: named.topic ?? topic },
        delivery.name,
        delivery.proof,
      )
      if (one.kind === 'none') {
        io.err(`${printable(one.why)}\n`)
        return EXIT.wrong
      }
      const { found, record } = one
      if (options['raw'] === true) {
        io.outBytes(record.value)
        return EXIT.ok
      }
      const { failedAck } = found.letter
      const prospect =
        failedAck === undefined ? prospectOf(await judge(delivery, found.letter, record.value)) : undefined
      io.out(`${format(found, prospect, record, io.terminal.columns ?? WIDTH)}\n`)
      return EXIT.ok
    })
  },
}

function format(
  { letter, status }: FoundLetter,
  prospect: Prospect | undefined,
  record: LoggedRecord,
  width: number,
): string {
  const { meaning, action } = ERRORS[letter.code as ErrorCode] ?? {}
  const facts: [string, string | undefined][] = [
    ['place', `${letter.topic} ${letter.partition}:${letter.offset}`],
    ['time', new Date(letter.timestamp).toISOString()],
    ['id', letter.id],
    ['pipeline', `${letter.pipeline}, revision ${letter.revision}`],
    ['stage', letter.stage],
    ['rule', letter.rule],
    ['reason', `${letter.code}: ${letter.message}`],
    ['meaning', meaning],
    ['to do', action],
    ['status', formatStatus(status)],
    ['now', now(prospect)],
  ]
  return [
    ...pairs(facts),
    ...section('where', frames(jsonOf(record.value, letter), letter.violations, width)),
    ...section('headers', pairs(record.headers().map(({ name, value }) => [name, value]))),
    ...section('key', [record.key === null ? '(none)' : printable(record.key.toString())]),
    ...section(`value, ${record.value.length} bytes as received`, [excerpt(record.value)]),
  ].join('\n')
}

function now(prospect: Prospect | undefined): string {
  if (prospect === undefined) return FAILED_ACK
  return prospect.kind === 'fails'
    ? `${formatProspect(prospect)}: ${prospect.error.message}`
    : formatProspect(prospect)
}

function frames(value: Buffer, violations: readonly Violation[], width: number): string[] {
  if (violations.length === 0) return []
  const lines = prettyLines(value.toString())
  const shown = violations
    .slice(0, MOST_FRAMES)
    .flatMap(({ pointer, message }) => [
      cut(printable(`${pointer === '' ? 'the event' : pointer} ${message}`), width),
      codeFrame(lines, pointer, width),
      '',
    ])
  const more = violations.length - MOST_FRAMES
  return more > 0 ? [...shown, `${more} more violations`] : shown.slice(0, -1)
}

function excerpt(value: Buffer): string {
  if (!isText(value)) return bytesExcerpt(value)
  const text = value.toString()
  const shown = printableLines(text.slice(0, MOST_CHARACTERS))
  return text.length <= MOST_CHARACTERS
    ? shown
    : `${shown}\n(${text.length - MOST_CHARACTERS} more characters; --raw prints all)`
}

function bytesExcerpt(value: Buffer): string {
  const more = value.length - MOST_BYTES
  const lines = hexLines(value.subarray(0, MOST_BYTES))
  return [...lines, ...(more > 0 ? [`(${more} more bytes; --raw prints all)`] : [])].join('\n')
}
