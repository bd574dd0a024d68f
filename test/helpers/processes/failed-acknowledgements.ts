import { dlqDiscardCommand } from '../../../src/commands/dlq/discard.js'
import { dlqListCommand } from '../../../src/commands/dlq/list.js'
import { dlqReplayCommand } from '../../../src/commands/dlq/replay.js'
import { dlqShowCommand } from '../../../src/commands/dlq/show.js'
import { ledgerCommand } from '../../../src/commands/ledger.js'
import type { HeadgateProcess } from '../../../src/sandbox/headgate-process.js'
import { runCommand } from '../recorded-io.js'

/** The commands that an operator uses on failed acknowledgements. `config`: the path of the config file. */
export function failedAckCommands(config: string, environment: { readonly [name: string]: string }) {
  const env = { ...environment, HEADGATE_CONFIG: config }
  const dlq = (
    command: Parameters<typeof runCommand>[0],
    options: { [name: string]: unknown } = {},
    ...places: string[]
  ) => runCommand(command, { options, arguments: places }, { env })
  const ledger = ({ admin }: HeadgateProcess, ...action: string[]) =>
    runCommand(ledgerCommand, { arguments: action }, { env: { HEADGATE_ADMIN_PORT: new URL(admin).port } })
  return {
    /** Ids and statuses. */
    async list(options: { [name: string]: unknown } = {}): Promise<[string, string][]> {
      const { out } = await dlq(dlqListCommand, { json: true, ...options })
      const lines = out.split('\n').filter((line) => line !== '')
      return lines.map((line) => {
        const { id, status } = JSON.parse(line) as { id: string; status: string }
        return [id, status]
      })
    },
    listText: () => dlq(dlqListCommand),
    show: (place: string) => dlq(dlqShowCommand, {}, place),
    replay: (...places: string[]) => dlq(dlqReplayCommand, { yes: true }, ...places),
    discard: (place: string, reason: string) => dlq(dlqDiscardCommand, { yes: true, reason }, place),
    ledger: (process: HeadgateProcess) => ledger(process),
    retry: (process: HeadgateProcess) => ledger(process, 'retry'),
  }
}
