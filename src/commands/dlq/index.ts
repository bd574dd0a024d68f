import type { CommandGroup } from '../command.js'
import { dlqDiscardCommand } from './discard.js'
import { dlqExportCommand } from './export.js'
import { dlqListCommand } from './list.js'
import { dlqReplayCommand } from './replay.js'
import { dlqShowCommand } from './show.js'

export const dlqCommand: CommandGroup = {
  name: 'dlq',
  summary: 'Looks at dead letters, replays and discards them.',
  details: `They are read from the dead-letter topic of a pipeline; nothing but "replay --yes" and "discard --yes"
writes anything. The config is
read as "headgate run" reads it, so its environment variables have to be set. docs/dead-letters.md tells more.`,
  commands: [dlqListCommand, dlqShowCommand, dlqExportCommand, dlqReplayCommand, dlqDiscardCommand],
}
