import { DryRun } from '../dry-run/dry-run.js'
import { explain, explanationJson } from '../dry-run/explanation.js'
import { styleFor } from '../lib/terminal/text.js'
import { readEventFile } from '../scenarios/event-file.js'
import { type Command, EXIT } from './command.js'
import { report } from './explain-report.js'
import { choosePipeline, loadOrReport, loadSettings, orExit, readInput, settingOptions } from './load.js'

const HEADER = /^([^:\s]+):\s*(.*)$/

export const explainCommand: Command = {
  name: 'explain',
  summary:
    'Shows step by step what would happen to an event: checks, rules, record, response, acknowledgement.',
  details: `A dry run: the event goes through the same stages as under "run", but they connect to nothing and send nothing. Instead,
the requests and records are printed. ${'${env:...}'} references of source, sink and post-commit stages need no value.

A file {"request": {"headers": {...}, "query": "..."}, "event": ...} also has parts of the request. The sender is verified only
if --header is given, other than Content-Type. Exits with 0 if the event would be durable or dropped, with 1 if it would
be refused.

  headgate explain event.json
  curl -s https://example.com/last-event | headgate explain -
  headgate explain event.json --header 'Authorization: Bearer ...'`,
  arguments: [
    {
      name: '<event>',
      description:
        'File with the body of the event, as the sender sends it, or with its request too; "-" for standard input.',
    },
  ],
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--pipeline <name>', description: 'The pipeline; needed only if there are several.' },
    {
      flags: '--method <method>',
      description: 'The method of the request. Default: the first that the source accepts for events.',
    },
    {
      flags: '--query <query>',
      description: 'The query of the URL, without the question mark: "challenge=abc".',
    },
    {
      flags: '--header <header>',
      description: 'A header of the request, as "Name: value". May be repeated.',
      repeatable: true,
    },
    { flags: '--skip-verification', description: 'Does not verify the sender, even if headers are given.' },
    { flags: '--full', description: 'Shows whole values, however long.' },
    { flags: '--json', description: 'Prints everything as JSON.' },
  ],
  async run({ arguments: [file = ''], options }, io) {
    const settings = loadSettings(options, io)
    const headers = readHeaders((options['header'] as readonly string[] | undefined) ?? [], io.err)
    if (settings === undefined || headers === undefined) return EXIT.usage
    const config = await loadOrReport(settings, io, { unresolved: 'placeholder' })
    if (config === undefined) return EXIT.config
    const dryRun = new DryRun(config)
    const chosen = choosePipeline(options['pipeline'] as string | undefined, dryRun.pipelines)
    if ('problem' in chosen) {
      io.err(`${chosen.problem}\n`)
      return EXIT.usage
    }
    const { pipeline } = chosen
    const input = await readInput(file, io)
    if (input === undefined) return EXIT.usage
    const { body, request: written = {} } = readEventFile(input)

    const { method, query } = options as { readonly method?: string; readonly query?: string }
    const explanation = await orExit(io, () =>
      explain(config, dryRun, {
        ...written,
        pipeline,
        headers,
        keptHeaders: written.headers,
        body,
        ...(method !== undefined && { method }),
        ...(query !== undefined && { query }),
        skip: options['skipVerification'] === true ? 'because of --skip-verification' : undefined,
      }),
    )
    if (explanation === undefined) return EXIT.wrong
    if (options['json'] === true) io.out(`${JSON.stringify(explanationJson(explanation), undefined, 2)}\n`)
    else
      io.out(
        report(explanation, { style: styleFor(io.terminal.out, io.env), full: options['full'] === true }),
      )
    const { kind } = explanation.result.outcome
    return kind === 'rejected' || kind === 'limited' || kind === 'unavailable' ? EXIT.wrong : EXIT.ok
  },
}

/** By lower-case name; undefined if one is malformed, after printing it. */
function readHeaders(
  texts: readonly string[],
  err: (text: string) => void,
): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>()
  for (const text of texts) {
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
