import { ERRORS } from '../contract/errors.js'
import type { Explained } from '../contract/index.js'
import type { DryRunCall, DryRunRecord, DryRunResult, Step } from '../dry-run/dry-run.js'
import type { Explanation } from '../dry-run/explanation.js'
import { hexLines } from '../lib/hex-lines.js'
import { isText } from '../lib/is-text.js'
import { isJson } from '../lib/json/body.js'
import { prettyLines } from '../lib/json/pretty-lines.js'
import { cut, pairs, printable, printableLines, type Style, section } from '../lib/terminal/text.js'

interface Look {
  readonly style: Style
  /** Values are not shortened. */
  readonly full: boolean
}

const LONGEST_FOUND = 160
const MOST_LINES = 30

/** For people, ending with a line end. */
export function report({ config, result, unverified }: Explanation, look: Look): string {
  const { pipeline, response, items } = result
  const references = [...new Set(config.placeholders.map(({ reference }) => reference))]
  const [receipt] = (items ?? [result]).flatMap(({ outcome }) =>
    'receipt' in outcome ? outcome.receipt : [],
  )
  const lines = [
    `${pipeline}, ${config.file}, revision ${config.revision}`,
    ...(references.length === 0
      ? []
      : [`references without a value, shown as they are written: ${references.join(', ')}`]),
    ...(items ?? [result]).flatMap((item, index) => [
      ...(items === undefined ? [] : ['', look.style('bold', `item ${index + 1} of ${items.length}`)]),
      ...formatEvent(item, unverified, look),
    ]),
    ...section('response to the sender', [
      String(response.status),
      ...pairs(Object.entries(response.headers)),
      ...(response.body === '' ? [] : [printableLines(response.body)]),
      ...(receipt === undefined ? [] : madeUpNote(receipt.partition)),
    ]),
    '',
    ...(items ?? [result]).flatMap((item, index) => {
      const [first = '', ...others] = conclusion(item, look.style)
      return items === undefined ? [first, ...others] : [`item ${index + 1}: ${first}`, ...others]
    }),
  ]
  return `${lines.join('\n')}\n`
}

const formatEvent = (
  { steps, records, calls }: DryRunResult,
  unverified: string | undefined,
  look: Look,
): string[] => [
  ...steps.flatMap((step) => ['', ...formatStep(step, unverified, look)]),
  ...records.flatMap((record) => formatRecord(record, look)),
  ...calls.flatMap(formatCall),
]

const madeUpNote = (partition: number): string[] => [
  partition === -1
    ? '(partition -1 and offset 0 are placeholders: only Kafka knows them)'
    : '(offset 0 is a placeholder: only Kafka knows it)',
]

const DECISIONS: { readonly [decision in Step['decision']]: string } = {
  pass: 'passes',
  drop: 'drops it',
  reject: 'refuses it',
  limit: 'refuses it for now',
  'dead-letter': 'sends it to the dead-letter topic',
  unavailable: 'fails',
  handshake: 'answers the handshake of the sender',
  'give-up': 'cannot acknowledge it',
}

function formatStep(
  { stage, decision, error, rule, details }: Step,
  unverified: string | undefined,
  look: Look,
): string[] {
  const { style } = look
  const passes = decision === 'pass' || decision === 'drop' || decision === 'handshake'
  const verdict = style(passes ? 'green' : 'red', DECISIONS[decision])
  const decided = rule === undefined ? '' : `, rule ${printable(rule)}`
  return [
    `${style('bold', stage)} ${verdict}${decided}`,
    ...(error === undefined ? [] : [`  ${error.code}: ${printable(error.message)}`]),
    ...details.flatMap((detail) => formatDetail(detail, unverified, look)),
  ]
}

function formatDetail(
  { name, result, looked }: Explained,
  unverified: string | undefined,
  look: Look,
): string[] {
  const why = name === 'verification' && unverified !== undefined ? `: ${unverified}` : ''
  const found = (text: string) => (look.full ? printable(text) : cut(printable(text), LONGEST_FOUND))
  const [only, ...others] = looked
  // A single value fits on one line.
  if (only !== undefined && others.length === 0 && only.found === result)
    return [`  ${name}: ${found(result)} (at ${printable(only.at)})`]
  return [
    `  ${look.style(result.startsWith('matched') ? 'bold' : 'dim', `${name}: ${found(result)}${why}`)}`,
    ...looked.map(({ at, found: value }) => `    ${found(at)}: ${found(value)}`),
  ]
}

function formatRecord(
  { topic, partition, key, headers, value, deadLetter }: DryRunRecord,
  { full }: Look,
): string[] {
  return [
    ...section(deadLetter ? 'dead letter' : 'record', [
      ...pairs([
        ['topic', topic],
        [
          'partition',
          partition === undefined ? (key === null ? 'any: it has no key' : 'by key') : String(partition),
        ],
        ['key', key === null ? '(none)' : key],
      ]),
      'headers',
      ...pairs(headers.map(({ name, value }) => [`  ${name}`, value])),
      `value, ${value.length} bytes`,
      ...valueLines(value, full).map((line) => `  ${line}`),
    ]),
  ]
}

function valueLines(value: Buffer, full: boolean): string[] {
  const lines = isText(value) ? textLines(value.toString()) : hexLines(value)
  const width = full ? Number.POSITIVE_INFINITY : LONGEST_FOUND
  const shown = lines.slice(0, full ? lines.length : MOST_LINES).map((line) => cut(printable(line), width))
  const more = lines.length - shown.length
  return more > 0 ? [...shown, `(${more} more lines; --full gives all)`] : shown
}

const textLines = (text: string): string[] =>
  isJson(text) ? prettyLines(text).map((line) => line.text) : text.split('\n')

const formatCall = ({ stage, method, url, headers, body }: DryRunCall): string[] =>
  section(`acknowledge request of ${stage}, after the response`, [
    `${method} ${printable(url)}`,
    ...pairs(Object.entries(headers)),
    ...(body === '' ? [] : [printableLines(body)]),
  ])

function conclusion({ outcome, route }: DryRunResult, style: Style): string[] {
  const by =
    route === undefined ? '' : ` by ${route === 'otherwise' ? route : `the rule ${printable(route)}`}`
  if (!('error' in outcome)) {
    const { kind } = outcome
    if (kind === 'handshake') return [style('green', 'It is a handshake, and brings no event.')]
    const destination = 'receipt' in outcome ? ` to ${outcome.receipt.topic}` : ''
    return [style('green', `It would be ${kind}${destination}${by}.`)]
  }
  const { code } = outcome.error
  return [style('red', `It would be refused: ${code}.`), ERRORS[code].action]
}
