import type { CommandGroup } from '../command.js'
import { dlqDiscardCommand } from './discard.js'
import { dlqExportCommand } from './export.js'
import { dlqListCommand } from './list.js'
import { dlqReplayCommand } from './replay.js'
import { dlqShowCommand } from './show.js'

export const dlqCommand: CommandGroup = {
  name: 'dlq',
  summary: 'Lists, shows, exports, replays and discards dead letters.',
  details: `They are read from the dead-letter topic of a pipeline; only "replay --yes" and "discard --yes" write. The config is read
as by "headgate run", so its environment variables must be set. A pipeline with an inbox has its failed acknowledgements there, too:
they are listed, shown, exported and discarded like dead letters. See docs/dead-letters.md.`,
  commands: [dlqListCommand, dlqShowCommand, dlqExportCommand, dlqReplayCommand, dlqDiscardCommand],
}
