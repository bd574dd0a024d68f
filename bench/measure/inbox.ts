import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { startGenerator } from '../load/generator.js'
import { BODY_BYTES, rate, saturation } from '../load/loads.js'
import type { Options } from '../options.js'
import type { Environment } from '../programs/environment.js'
import { ownConfig } from '../programs/own-config.js'
import { headgate, type Program } from '../programs/programs.js'
import { type Comparison, compare, type Extent, USUAL_PLAN } from './compare.js'
import { allAcknowledged, PAYLOADS } from './measure.js'

/** The cost of an inbox, of a second instance, and of the end of one. */
export interface InboxFigures extends Comparison {
  readonly takeover: Takeover
}

interface Takeover {
  /** Events of the redelivery window, which the next owners read back. */
  readonly events: number
  /** From the `kill -9` of one of two instances until events for all partitions were acknowledged again. */
  readonly seconds: number
}

export const INBOX_PARTITIONS = 12
const ONE = 'headgate, inbox'
const TWO = 'headgate, inbox, 2 instances'
/** The load at which one instance and two are compared. */
export const EACH = '500/s each'
/** In the window at the takeover. */
const WINDOW_EVENTS = 100_000
/** For all partitions, sent right after the kill. */
const LATE_EVENTS = 1000
const IN_FLIGHT = 64
const DAY = 86_400

export async function measureInbox(
  options: Extent & Pick<Options, 'profile'>,
  environment: Environment,
): Promise<InboxFigures> {
  const { seconds, inFlight, profile } = options
  const file = 'bench/plugins.config.json'
  const configs = [
    ownConfig(file),
    ...(await Promise.all([1, 2, 3].map(() => withInbox(file, environment)))),
  ] as const
  try {
    const [plain, one, two, taken] = configs as readonly [Config, Config, Config, Config]
    const comparison = await compare(
      [
        headgate({ name: 'headgate', config: plain.config, profile }),
        headgate({ name: ONE, config: one.config, profile }),
        headgate({ name: TWO, config: two.config, instances: 2, profile }),
      ],
      [
        [ONE, 'headgate'],
        [TWO, ONE],
      ],
      {
        ...USUAL_PLAN,
        loads: [
          saturation(seconds, inFlight),
          rate(seconds, 1000),
          // The cores that all share leave enough to two instances then.
          { name: EACH, seconds, pace: { kind: 'rate', perSecond: 500, each: true } },
        ],
        delays: true,
      },
      options,
      environment,
    )
    const program = headgate({ name: TWO, config: taken.config, instances: 2 })
    return { ...comparison, takeover: await measureTakeover(program, environment) }
  } finally {
    for (const { remove } of configs) remove()
  }
}

type Config = ReturnType<typeof ownConfig>

const withInbox = async (file: string, environment: Environment): Promise<Config> =>
  ownConfig(file, { inbox: await environment.emptyTopic(INBOX_PARTITIONS) })

async function measureTakeover(program: Program, environment: Environment): Promise<Takeover> {
  const running = await program.start(environment.env)
  const generator = startGenerator()
  try {
    const drive = async (name: string, ports: readonly number[], events: number): Promise<void> => {
      const before = await environment.acknowledged()
      const { token } = environment
      const order = {
        token,
        name,
        ports,
        events,
        bodyBytes: BODY_BYTES,
        connections: IN_FLIGHT,
        seconds: DAY,
      }
      const { delivered } = await generator.run({ ...order, paths: [WEBHOOK_PATH], payloads: PAYLOADS })
      await allAcknowledged(delivered, before, environment)
    }
    const [victim, survivor] = running.ports as [number, number]
    await drive('window', [victim, survivor], WINDOW_EVENTS)
    const killedAt = performance.now()
    process.kill(running.pids[0] as number, 'SIGKILL')
    await drive('late', [survivor], LATE_EVENTS)
    return { events: WINDOW_EVENTS, seconds: (performance.now() - killedAt) / 1000 }
  } finally {
    await generator.stop()
    // One of them was killed.
    await running.stop().catch(() => {})
  }
}
