import type { Found, FoundLetter, LetterStatus, Prospect } from '../../dead-letters/find.js'
import { type Column, cut, printable, table } from '../../lib/terminal/text.js'
import { type Command, EXIT, type Io } from '../command.js'
import { readSelection, SELECTION_OPTIONS } from './selection.js'
import { find, withDeadLetters } from './session.js'

export const dlqListCommand: Command = {
  name: 'list',
  summary: 'Lists dead letters, the newest last.',
  details: `Without --all it lists only open ones: those that have not been replayed or discarded. --would-pass is a dry run of each
with the current config; nothing is written.`,
  options: [
    ...SELECTION_OPTIONS,
    {
      flags: '--would-pass',
      description: 'Shows which would pass with the current config, and why the others would not.',
    },
    { flags: '--json', description: 'Prints JSON, one dead letter per line.' },
  ],
  async run({ options }, io) {
    const read = readSelection(options, Date.now())
    if (!read.ok) {
      io.err(`${read.problems.join('\n')}\n`)
      return EXIT.usage
    }
    return withDeadLetters(options, io, false, async (session) => {
      const found = await find(session, read.selection, io, options['wouldPass'] === true)
      if (options['json'] === true)
        for (const letter of found.letters) io.out(`${JSON.stringify(asJson(letter))}\n`)
      else io.out(listing(found, options['wouldPass'] === true, io))
      return EXIT.ok
    })
  },
}

/** A dead letter for programs; `dlq export` uses the same members. */
export const asJson = ({ letter, status, prospect }: FoundLetter) => {
  const { timestamp, digest: _, plugin: __, traceparent: ___, tracestate: ____, ...members } = letter
  return {
    ...members,
    time: new Date(timestamp).toISOString(),
    status: status.kind,
    ...(status.kind === 'replayed' && { replayedTo: status.receipt }),
    ...(status.kind === 'discarded' && {
      discarded: { reason: status.reason, by: status.by, time: new Date(status.at).toISOString() },
    }),
    ...(prospect !== undefined && { prospect: prospectAsJson(prospect) }),
  }
}

const prospectAsJson = (prospect: Prospect) => {
  if (prospect.kind !== 'fails') return prospect
  const { code, message, violations } = prospect.error
  return { kind: 'fails', code, message, violations }
}

function listing({ letters, matching, settled }: Found, withProspect: boolean, { terminal }: Io): string {
  const withStatus = letters.some(({ status }) => status.kind !== 'open')
  const columns: Column[] = [
    ...['time', 'place', 'id', 'stage', 'code'].map(left),
    ...(withStatus ? [left('status')] : []),
    ...(withProspect ? [left('now')] : []),
    left('message'),
  ]
  const rows = letters.map(({ letter, status, prospect }) => [
    new Date(letter.timestamp).toISOString(),
    `${letter.partition}:${letter.offset}`,
    printable(letter.id),
    printable(letter.stage),
    printable(letter.code),
    ...(withStatus ? [status.kind === 'unknown' ? status.kind : formatStatus(status)] : []),
    ...(withProspect ? [prospect === undefined ? '' : formatProspect(prospect)] : []),
    printable(letter.message),
  ])
  const width = terminal.columns ?? Number.POSITIVE_INFINITY
  const lines =
    letters.length === 0
      ? []
      : table(columns, rows)
          .split('\n')
          .map((line) => cut(line, width))
  return [...lines, ...(lines.length > 0 ? [''] : []), ...summary(letters, matching, settled), ''].join('\n')
}

function summary(letters: readonly FoundLetter[], matching: number, settled: number): string[] {
  const open = matching - settled
  const lines = [
    `${countLetters(open)}${letters.length < open ? `, of which the newest ${letters.length} are shown` : ''}${byCode(letters)}.`,
  ]
  if (settled > 0) lines.push(`${settled} more have been replayed or discarded; --all shows them.`)
  const unknown = letters.filter(({ status }) => status.kind === 'unknown').length
  if (unknown > 0)
    lines.push(`${unknown} of them are unknown: ${UNKNOWN}. A replay sends them only with --force.`)
  const failedAcks = letters.filter(({ letter }) => letter.failedAck !== undefined).length
  if (failedAcks > 0)
    lines.push(
      `${failedAcks} of them are failed acknowledgements: "headgate ledger retry" makes them pending again.`,
    )
  if (letters.some(({ status }) => status.kind === 'claimed'))
    lines.push('For some, it is unknown whether a replay has sent them; the next replay finds out.')
  return lines
}

/** `: 2 HG_SCHEMA_VIOLATION, 1 HG_ROUTE_REFUSED`; empty if there are none. */
export function byCode(letters: readonly FoundLetter[]): string {
  const codes = new Map<string, number>()
  for (const { letter } of letters) codes.set(letter.code, (codes.get(letter.code) ?? 0) + 1)
  const counts = [...codes].map(([code, count]) => `${count} ${printable(code)}`).join(', ')
  return counts && `: ${counts}`
}

export const countLetters = (count: number): string =>
  count === 0 ? 'No dead letters' : `${count} dead ${count === 1 ? 'letter' : 'letters'}`

/** Of a failed acknowledgement: its event has a record, so no replay makes one. */
export const FAILED_ACK = 'a failed acknowledgement: "headgate ledger retry" makes it pending again'

/** Why a status is unknown. */
export const UNKNOWN = 'it, or the note that settled it, is not proven by the key in HEADGATE_RECORD_KEY_FILE'

export const formatStatus = (status: LetterStatus): string => {
  if (status.kind === 'discarded') return `discarded: ${printable(status.reason)}`
  if (status.kind === 'unknown') return `unknown: ${UNKNOWN}`
  if (status.kind === 'acknowledged') return `acknowledged ${new Date(status.at).toISOString()}`
  if (status.kind !== 'replayed') return status.kind
  const { topic, partition, offset } = status.receipt
  return `replayed to ${topic} ${partition}:${offset}`
}

export const formatProspect = (prospect: Prospect): string => {
  if (prospect.kind === 'fails') return prospect.error.code
  if (prospect.kind === 'dropped') return 'dropped'
  const { topic, partition } = prospect.target
  return `passes to ${topic}${partition === undefined ? '' : ` ${partition}`}`
}

const left = (title: string): Column => ({ title, align: 'left' })
