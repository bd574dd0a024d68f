import cluster from 'node:cluster'
import { Socket } from 'node:net'
import { CHANNEL_FD } from '../workers/channel.js'
import { runWorker } from '../workers/worker.js'
import { type Command, EXIT } from './command.js'
import { loadConfig } from './load.js'

export const workerCommand: Command = {
  name: 'worker',
  summary: 'A worker of `headgate run`, which starts it.',
  hidden: true,
  async run(_, io) {
    // Signals of a terminal or of systemd come to all processes: when a worker ends, the primary process says.
    io.onHangup(() => {})
    if (!cluster.isWorker) {
      io.err('Workers are started by "headgate run --workers N".\n')
      return EXIT.usage
    }
    await runWorker({
      onWarning: io.onWarning,
      stream: new Socket({ fd: CHANNEL_FD }),
      read: (settings, contents) => loadConfig(settings, io, { contents }),
    })
    return EXIT.ok
  },
}
