import type { Command, CommandGroup } from './command.js'
import { diffCommand } from './diff.js'
import { dlqCommand } from './dlq.js'
import { explainCommand } from './explain.js'
import { ledgerCommand } from './ledger.js'
import { pluginsCommand } from './plugins.js'
import { runCommand } from './run.js'
import { sandboxCommand } from './sandbox.js'
import { tapCommand } from './tap.js'
import { testCommand } from './test.js'
import { validateCommand } from './validate.js'
import { workerCommand } from './worker.js'

/** All commands, in the order of the help. */
export const commands: readonly (Command | CommandGroup)[] = [
  runCommand,
  validateCommand,
  explainCommand,
  diffCommand,
  testCommand,
  pluginsCommand,
  tapCommand,
  ledgerCommand,
  dlqCommand,
  sandboxCommand,
  workerCommand,
]
