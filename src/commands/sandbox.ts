import { FEWEST_EVENTS } from '../sandbox/events.js'
import { preferredPort } from '../sandbox/preferred-port.js'
import { type Command, type CommandInput, EXIT } from './command.js'
import { demonstrate } from './sandbox-demo.js'
import { stayUp } from './sandbox-stay.js'

const INTAKE_PORT = 8080
const ADMIN_PORT = 8083
const MOST_EVENTS = 1_000_000
const MOST_PORT = 65_535

export const sandboxCommand: Command = {
  name: 'sandbox',
  summary: 'Runs Headgate on its shipped config, with an embedded Kafka and a simulated CXone.',
  details: `Needs nothing else on the machine. Stays up until Ctrl-C; prints a curl command for each route, and every record as
it arrives in Kafka. With --demo it posts events itself (valid, invalid and repeated ones), counts them in every place
they pass, and exits with 0 only where all counts agree.`,
  options: [
    { flags: '--demo', description: 'Post events, print the counts and a verdict, and end.' },
    { flags: '--events <number>', description: 'How many requests --demo posts.', default: '2000' },
    {
      flags: '--port <number>',
      description: 'Where to post to; 0 takes a free one. Otherwise 8080, if free.',
    },
    {
      flags: '--admin-port <number>',
      description: 'Where metrics are; 0 takes a free one. Otherwise 8083, if free.',
    },
  ],
  async run({ options }, io) {
    const read = readOptions(options)
    if (!read.ok) {
      io.err(`${read.complaints.join('\n')}\n`)
      return EXIT.usage
    }
    const { events, port, adminPort } = read
    try {
      if (options['demo'] === true)
        return await demonstrate({ events, port: port ?? 0, adminPort: adminPort ?? 0 }, io)
      const ports = {
        port: port ?? (await preferredPort(INTAKE_PORT)),
        adminPort: adminPort ?? (await preferredPort(ADMIN_PORT)),
      }
      return await stayUp(ports, io)
    } catch (error) {
      io.err(io.signal.aborted ? 'Stopped.\n' : `${error instanceof Error ? error.message : error}\n`)
      return EXIT.wrong
    }
  },
}

function readOptions(options: CommandInput['options']) {
  const complaints: string[] = []
  const whole = (flag: string, text: unknown, from: number, to: number): number | undefined => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (/^[0-9]+$/.test(String(text)) && value >= from && value <= to) return value
    complaints.push(`${flag} should be a whole number from ${from} to ${to}; it is ${JSON.stringify(text)}.`)
    return undefined
  }
  const events = whole('--events', options['events'], FEWEST_EVENTS, MOST_EVENTS) ?? FEWEST_EVENTS
  const port = whole('--port', options['port'], 0, MOST_PORT)
  const adminPort = whole('--admin-port', options['adminPort'], 0, MOST_PORT)
  return complaints.length > 0
    ? ({ ok: false, complaints } as const)
    : ({ ok: true, events, port, adminPort } as const)
}
