import cluster from 'node:cluster'
import { Socket } from 'node:net'
import { endNativeCalls } from '../lib/native-calls.js'
import { CHANNEL_FD } from '../workers/channel.js'
import { runWorker } from '../workers/worker.js'
import { type Command, EXIT } from './command.js'
import { loadConfig } from './load.js'

export const workerCommand: Command = {
  name: 'worker',
  summary: 'A worker process that `headgate run` starts.',
  hidden: true,
  async run(_, io) {
    // Terminals and systemd signal all processes of a group: only the primary process decides when a worker stops.
    io.onHangup(() => {})
    if (!cluster.isWorker) {
      io.err('Workers are started by "headgate run --workers N".\n')
      return EXIT.usage
    }
    await runWorker({
      onWarning: io.onWarning,
      stream: new Socket({ fd: CHANNEL_FD }),
      read: (settings, { contents, ...checked }) => loadConfig(settings, io, { contents, checked }),
    })
    await endNativeCalls()
    return EXIT.ok
  },
}
