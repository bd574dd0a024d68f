/**
 * Loaded into a process before its own program: ends it in the orderly way when the process that started it is gone,
 * however that one ended. Signals of a terminal do not reach it, because it has a process group of its own.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
