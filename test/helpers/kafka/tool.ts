import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { java, kafkaClassPath } from './class-path.js'

const QUICK = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
]

/** Runs a tool that comes with Kafka, such as `kafka.admin.ConfigCommand`; returns the lines that it prints. */
export const kafkaTool = (bootstrap: string, name: string, ...args: string[]): Promise<string[]> =>
  kafkaToolWith('', bootstrap, name, ...args)

/** The same for a tool that reads its standard input. */
export async function kafkaToolWith(
  input: string,
  bootstrap: string,
  name: string,
  ...args: string[]
): Promise<string[]> {
  const command = [...QUICK, '-cp', await kafkaClassPath(), name, '--bootstrap-server', bootstrap, ...args]
  const running = promisify(execFile)(java, command)
  running.child.stdin?.end(input)
  const { stdout } = await running
  return stdout.split('\n')
}
