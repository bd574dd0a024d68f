import type { LedgerStatus } from '../admin/api.js'
import { table } from '../lib/terminal/text.js'
import { requestAdminJson, trustOptions } from './admin-client.js'
import { type Command, EXIT } from './command.js'
import { loadSettings, settingOptions } from './load.js'

export const ledgerCommand: Command = {
  name: 'ledger',
  summary: 'Shows pending and failed acknowledgements, or retries the failed ones.',
  details: `Asks the Headgate that runs on this machine. "headgate ledger" shows, for each pipeline, pending acknowledgements by
age, failed ones with their reasons, and how far each partition is indexed and acknowledged. "headgate ledger retry" makes
failed acknowledgements pending again. For a pipeline with an inbox, any instance shows all
partitions of the inbox: the instance (host/process) that owns each, events that are not worked off, events that are worked off and not
acknowledged, and when the oldest of both was accepted. Its failed acknowledgements are in its dead-letter topic: any instance shows and
retries all of them, and "headgate dlq discard" settles those that nobody needs.`,
  arguments: [
    { name: '[action]', description: '"retry"; without it, the command only shows.', choices: ['retry'] },
  ],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--admin')),
    ...trustOptions,
    { flags: '--json', description: 'As JSON.' },
  ],
  async run({ arguments: [action], options }, io) {
    const settings = loadSettings(options, io)
    if (settings === undefined) return EXIT.usage
    if (action !== undefined && action !== 'retry') {
      io.err(`There is no "ledger ${action}". Did you mean "ledger retry"?\n`)
      return EXIT.usage
    }
    const request = action === 'retry' ? (['POST', '/ledger/retry'] as const) : (['GET', '/ledger'] as const)
    const response = await requestAdminJson(settings, request, options, io)
    if (response === undefined) return EXIT.wrong
    if (options['json'] === true) io.out(`${JSON.stringify(response, undefined, 2)}\n`)
    else if (action === 'retry') io.out(formatRetried(response as { [pipeline: string]: number }))
    else
      io.out(
        Object.entries(response as { [pipeline: string]: LedgerStatus })
          .map(format)
          .join('\n'),
      )
    return EXIT.ok
  },
}

const formatRetried = (counts: { readonly [pipeline: string]: number }): string =>
  Object.entries(counts)
    .map(([pipeline, count]) => `${pipeline}: ${count} failed acknowledgements are pending again\n`)
    .join('')

function format([pipeline, report]: [string, LedgerStatus]): string {
  const { pending, failed, partitions, inbox, remembersSince } = report
  const time = (at: number) => new Date(at).toISOString()
  const failures = failed.first.map(({ id, position, reason, failedAt }) => {
    const place = position === undefined ? [] : [`${position.partition}:${position.offset}`]
    return `  ${[time(failedAt), ...place, id, reason.message].join('  ')}`
  })
  const rows = partitions.map(({ topic, partition, known, acknowledged }) => [
    `${topic}, partition ${partition}`,
    String(known),
    String(acknowledged),
    String(known - acknowledged),
  ])
  return [
    `pipeline ${pipeline}`,
    '',
    table(
      [left('pending'), right('acknowledgements')],
      pending.map(({ age, count }) => [age, String(count)]),
    ),
    '',
    `failed: ${failed.count}${failed.count > failures.length ? `, the first ${failures.length}:` : ''}`,
    ...failures,
    ...(failed.problem === undefined ? [] : [`Some may be missing: ${failed.problem}`]),
    '',
    inbox === undefined
      ? table([left('records'), right('indexed up to'), right('acknowledged up to'), right('lag')], rows)
      : inboxTable(inbox),
    '',
    `Duplicates are detected for events received since ${time(remembersSince)}.`,
    '',
  ].join('\n')
}

function inboxTable(inbox: NonNullable<LedgerStatus['inbox']>): string {
  const severalTopics = new Set(inbox.map(({ topic }) => topic)).size > 1
  const columns = [
    ...(severalTopics ? [left('topic')] : []),
    right('partition'),
    left('owner'),
    right('not worked off'),
    right('not acknowledged'),
    left('oldest accepted'),
  ]
  const rows = inbox.map(({ topic, partition, owner, notWorkedOff, notAcknowledged, oldestAt }) => [
    ...(severalTopics ? [topic] : []),
    String(partition),
    owner ?? 'none, or not known',
    String(notWorkedOff),
    String(notAcknowledged),
    oldestAt === undefined ? '' : new Date(oldestAt).toISOString(),
  ])
  return table(columns, rows)
}

const left = (title: string) => ({ title, align: 'left' }) as const
const right = (title: string) => ({ title, align: 'right' }) as const
