import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { NOT_RUN } from '../docs/not-run.js'
import { freePorts } from '../helpers/free-ports.js'
import { java, kafkaClassPath } from '../helpers/kafka/class-path.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { type Block, blocksOf, WALKED } from '../helpers/pages.js'
import { reader, type Shell, shell } from '../helpers/processes/reader.js'

/** They stay until they are stopped. The commands after them are for another terminal. */
const STAYS = /headgate (?:sandbox|run)$/m

/** The names of Kafka's tools in its folder `bin`, and the classes that they start. */
const TOOLS = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-console-consumer.sh': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
}

/** Which config it was made with is not the matter. */
const comparable = (text: string): string => text.replace(/(?<=revision )[0-9a-f]{12}/g, '').trim()

describeKafka('the page for beginners', () => {
  test('leads from its first file to its last command, and every command prints what the page shows', async () => {
    const walk = await startWalk()
    for (const block of blocksOf(WALKED)) if (!(block.name in NOT_RUN)) await walk.take(block)
    expect(walk.taken).toEqual({ files: 4, scripts: 16, outputs: 4 })
  }, 180_000)
})

async function startWalk() {
  const classPath = await kafkaClassPath()
  const tools = Object.entries(TOOLS).map(([name, main]) => [
    name,
    `exec "${java}" -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "${classPath}" ${main} "$@"`,
  ])
  const cwd = reader(onTestFinished, Object.fromEntries(tools))
  const taken = { files: 0, scripts: 0, outputs: 0 }
  let ports: readonly number[] = []
  let staying: Shell | undefined
  /** The `export` lines so far: the page asks for them in every terminal. */
  let exported = ''
  let printed = ''

  const leave = async () => {
    staying?.kill()
    await staying?.ended
  }
  onTestFinished(leave)

  const here = (script: string): string =>
    [
      ['127.0.0.1:9092', sharedKafka()] as const,
      ...[8080, 8083].map((port, at) => [port, ports[at]] as const),
    ]
      .reduce((text, [theirs, ours]) => text.replaceAll(`${theirs}`, `${ours ?? theirs}`), script)
      .replace(/sandbox$/m, `sandbox --port ${ports[0]} --admin-port ${ports[1]}`)

  const terminal = (script: string): Shell =>
    shell(here(exported + script), cwd, {
      ...(ports.length > 0 && { HEADGATE_PORT: `${ports[0]}`, HEADGATE_ADMIN_PORT: `${ports[1]}` }),
    })

  async function run(script: string): Promise<void> {
    exported += script.match(/^export .*\n/gm)?.join('') ?? ''
    if (!STAYS.test(script)) {
      const { code, out, output } = await terminal(script).ended
      expect({ code, output, script }).toEqual({ code: 0, output: expect.any(String), script })
      printed = out
      return
    }
    await leave()
    ports = await freePorts(2)
    const shell = terminal(script)
    staying = shell
    const ready = () =>
      fetch(`http://127.0.0.1:${ports[1]}/ready`).then(
        ({ status }) => status,
        () => Promise.race([shell.ended, 'not yet']),
      )
    await expect.poll(ready, { timeout: 30_000 }).toBe(200)
  }

  async function take({ mark, about, text, language }: Block): Promise<void> {
    if (mark === 'file') {
      taken.files++
      const path = join(cwd, String(about))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    } else if (mark === 'output of') {
      taken.outputs++
      expect(comparable(printed)).toContain(comparable(text))
    } else if (language === 'sh') {
      taken.scripts++
      await run(text)
    }
  }

  return { take, taken }
}
