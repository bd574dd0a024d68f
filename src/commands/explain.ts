import { isUtf8 } from 'node:buffer'
import type { CheckedConfig } from '../config/read.js'
import { type RehearsedRequest, rehearse } from '../dry-run/dry-run.js'
import { styleFor } from '../lib/terminal/text.js'
import { type Command, EXIT } from './command.js'
import { type Explanation, report } from './explain-report.js'
import { choosePipeline, loadConfig, loadSettings, readInput, settingOptions, tried } from './load.js'
import { problemReport } from './problems.js'

const HEADER = /^([^:\s]+):\s*(.*)$/

export const explainCommand: Command = {
  name: 'explain',
  summary:
    'Shows step by step what would happen to an event: checks, rules, record, acknowledgement, answer.',
  details: `Nothing is connected to, sent or written: the event goes through the very stages that "run" puts together, and what
they would send is shown. ${'${env:...}'} references of source, sink and post-commit stages need not have a value.

Who sent the event is checked where headers are given, and not asked otherwise. Exits with 0 where the event would be
durable or dropped, with 1 where it would be refused.

  headgate explain event.json
  curl -s https://example.com/last-event | headgate explain -
  headgate explain event.json --header 'Authorization: Bearer ...'`,
  arguments: [
    {
      name: '<event>',
      description: 'File with the body of the event as it is sent; "-" for standard input.',
    },
  ],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--pipeline <name>', description: 'The pipeline. The only one, if not given.' },
    {
      flags: '--header <header>',
      description: 'A header that the event comes with, as "Name: value". May be given several times.',
      repeatable: true,
    },
    { flags: '--skip-verification', description: 'Does not check who sent it, though headers are given.' },
    { flags: '--full', description: 'Whole values, however long.' },
    { flags: '--json', description: 'All of it as JSON.' },
  ],
  async run({ arguments: [file = ''], options }, io) {
    const settings = loadSettings(options, io)
    const headers = readHeaders((options['header'] as readonly string[] | undefined) ?? [], io.err)
    if (settings === undefined || headers === undefined) return EXIT.usage
    const read = await loadConfig(settings, io, { unresolved: 'placeholder' })
    if (!read.ok) {
      io.err(problemReport(read, io))
      return EXIT.config
    }
    const { config } = read
    const rehearsal = rehearse(config)
    const chosen = choosePipeline(options['pipeline'] as string | undefined, rehearsal.pipelines)
    if ('complaint' in chosen) {
      io.err(`${chosen.complaint}\n`)
      return EXIT.usage
    }
    const { pipeline } = chosen
    const body = await readInput(file, io)
    if (body === undefined) return EXIT.usage

    const unproved = whyUnproved(config, pipeline, headers.size > 0, options['skipVerification'] === true)
    const request: RehearsedRequest = {
      headers: { 'content-type': 'application/json', ...Object.fromEntries(headers) },
      body,
    }
    const rehearsed = await tried(io, () =>
      rehearsal.run(pipeline, request, { skipVerification: unproved !== undefined }),
    )
    if (rehearsed === undefined) return EXIT.wrong
    const explanation: Explanation = {
      config,
      rehearsed,
      ...(unproved !== undefined && { unproved }),
    }
    if (options['json'] === true) io.out(`${JSON.stringify(asJson(explanation), undefined, 2)}\n`)
    else
      io.out(
        report(explanation, { style: styleFor(io.terminal.out, io.env), full: options['full'] === true }),
      )
    const { kind } = rehearsed.outcome
    return kind === 'rejected' || kind === 'unavailable' ? EXIT.wrong : EXIT.ok
  },
}

/** By their lower-case names; undefined where one is malformed, which is said. */
function readHeaders(
  given: readonly string[],
  err: (text: string) => void,
): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>()
  for (const text of given) {
    const [, name, value] = HEADER.exec(text) ?? []
    if (name === undefined || value === undefined) {
      err(
        `--header should be a name and a value such as "X-Signature: ab12"; it is ${JSON.stringify(text)}.\n`,
      )
      return undefined
    }
    headers.set(name.toLowerCase(), value)
  }
  return headers
}

/** Why the sender is not asked who it is; undefined where it is. */
function whyUnproved(
  { placeholders }: CheckedConfig,
  pipeline: string,
  headersGiven: boolean,
  skip: boolean,
): string | undefined {
  if (skip) return 'as --skip-verification says'
  if (!headersGiven) return 'no --header is given'
  const missing = placeholders.find(({ pointer }) => pointer.startsWith(`/pipelines/${pipeline}/source/`))
  return missing === undefined ? undefined : `${missing.reference} has no value here`
}

/** What `headgate explain --json` prints. */
export function asJson({ config, rehearsed, unproved }: Explanation): object {
  const { pipeline, answer, outcome, route, steps, records, calls } = rehearsed
  const { error, ...ending } = 'error' in outcome ? outcome : { ...outcome, error: undefined }
  return {
    pipeline,
    revision: config.revision,
    verification: unproved === undefined ? { kind: 'given' } : { kind: 'skipped', why: unproved },
    unresolved: config.placeholders,
    outcome: error === undefined ? ending : { ...ending, code: error.code, message: error.message },
    route: route ?? null,
    steps,
    records: records.map(({ partition, value, ...record }) => {
      const valueEncoding = isUtf8(value) ? 'utf-8' : 'base64'
      return { ...record, partition: partition ?? null, value: value.toString(valueEncoding), valueEncoding }
    }),
    acknowledge: calls,
    answer,
  }
}
