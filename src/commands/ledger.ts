import type { LedgerReport } from '../ledger/ledger.js'
import { table } from '../lib/terminal/text.js'
import { askAdmin, trustOptions } from './admin-client.js'
import { type Command, EXIT } from './command.js'
import { loadSettings, settingOptions } from './load.js'

export const ledgerCommand: Command = {
  name: 'ledger',
  summary: 'Shows what is still to be acknowledged, or retries what was given up.',
  details: `Asks the Headgate that runs on this machine. "headgate ledger" shows, for each pipeline, owed acknowledgements by
age, those that were given up with their reasons, and how far each partition is known and acknowledged. "headgate ledger
retry" owes anew what was given up.`,
  arguments: [{ name: '[action]', description: '"retry", or nothing to look.' }],
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
    const question = action === 'retry' ? (['POST', '/ledger/retry'] as const) : (['GET', '/ledger'] as const)
    const answer = await askAdmin(settings, question, options, io)
    if (answer === undefined) return EXIT.wrong
    if (options['json'] === true) io.out(`${JSON.stringify(answer, undefined, 2)}\n`)
    else if (action === 'retry') io.out(retried(answer as { [pipeline: string]: number }))
    else
      io.out(
        Object.entries(answer as { [pipeline: string]: LedgerReport })
          .map(shown)
          .join('\n'),
      )
    return EXIT.ok
  },
}

const retried = (counts: { readonly [pipeline: string]: number }): string =>
  Object.entries(counts)
    .map(([pipeline, count]) => `${pipeline}: ${count} acknowledgements are owed again\n`)
    .join('')

function shown([pipeline, report]: [string, LedgerReport]): string {
  const { pending, failed, partitions, remembersSince } = report
  const time = (at: number) => new Date(at).toISOString()
  const failures = failed.first.map(
    ({ id, reason, failedAt }) => `  ${time(failedAt)}  ${id}  ${reason.message}`,
  )
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
      [left('owed'), right('acknowledgements')],
      pending.map(({ age, count }) => [age, String(count)]),
    ),
    '',
    `given up: ${failed.count}${failed.count > failures.length ? `, of which the first ${failures.length}:` : ''}`,
    ...failures,
    '',
    table([left('records'), right('known up to'), right('acknowledged up to'), right('lag')], rows),
    '',
    `Events are recognised that came after ${time(remembersSince)}.`,
    '',
  ].join('\n')
}

const left = (title: string) => ({ title, align: 'left' }) as const
const right = (title: string) => ({ title, align: 'right' }) as const
