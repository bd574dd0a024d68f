import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const POM = resolve('test/kafka/pom.xml')
const CACHE = resolve('.cache')
const OLDEST_JAVA = 17
const LOCK_POLL = 200

export const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin/java') : 'java'

/**
 * The class path of a Kafka broker, for `java -cp`. Fetched by Maven the first time, as `test/kafka/pom.xml` says.
 * Throws with a readable reason if this machine cannot run Kafka.
 */
export async function kafkaClassPath(): Promise<string> {
  await checkJava()
  const digest = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  const lib = join(CACHE, `kafka-${digest}`)
  if (!existsSync(lib))
    await locked(`${lib}.lock`, () => (existsSync(lib) ? Promise.resolve() : fetchJars(lib)))
  return join(lib, '*')
}

async function checkJava(): Promise<void> {
  const { stderr } = await run(java, ['-version']).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'ENOENT' ? `${java} is not on the PATH` : `${java} does not run: ${error.message}`,
    )
  })
  const version = Number(/version "(\d+)/.exec(stderr)?.[1])
  if (!(version >= OLDEST_JAVA))
    throw new Error(`${java} is version ${version}, and Kafka needs ${OLDEST_JAVA} or later`)
}

/** Into a folder of its own first, so that `lib` is always complete. */
async function fetchJars(lib: string): Promise<void> {
  const temporary = mkdtempSync(`${lib}.`)
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${temporary}`]
  try {
    await run('mvn', ['-q', '-B', '-f', POM, ...goal])
    renameSync(temporary, lib)
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    const { code, stdout, message } = error as NodeJS.ErrnoException & { stdout?: string }
    if (code === 'ENOENT') throw new Error('mvn is not on the PATH')
    throw new Error(`fetching Kafka with mvn failed: ${stdout?.trim() || message}`)
  }
}

/** Runs `task` in one process at a time. A lock whose owner has ended counts as free. */
async function locked(path: string, task: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  while (!take(path)) await delay(LOCK_POLL)
  try {
    await task()
  } finally {
    rmSync(path, { force: true })
  }
}

/** A symbolic link, because its creation is atomic: it always contains its owner's id. */
function take(path: string): boolean {
  try {
    symlinkSync(String(process.pid), path)
    return true
  } catch {
    if (!ownerRuns(path)) rmSync(path, { force: true })
    return false
  }
}

function ownerRuns(path: string): boolean {
  try {
    return process.kill(Number(readlinkSync(path)), 0)
  } catch {
    return false
  }
}
