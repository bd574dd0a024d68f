import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { java, kafkaClassPath } from './kafka-class-path.js'

const QUICK = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
]

/** Runs a tool that comes with Kafka, such as `kafka.admin.ConfigCommand`; returns the lines that it prints. */
export async function kafkaTool(bootstrap: string, name: string, ...args: string[]): Promise<string[]> {
  const command = [...QUICK, '-cp', await kafkaClassPath(), name, '--bootstrap-server', bootstrap, ...args]
  const { stdout } = await promisify(execFile)(java, command)
  return stdout.split('\n')
}
