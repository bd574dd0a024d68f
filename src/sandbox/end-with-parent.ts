/**
 * Preloaded into a child process: stops it with SIGTERM when its parent is gone, even if the parent was killed. The signals of a
 * terminal do not reach the child, because it has its own process group.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
