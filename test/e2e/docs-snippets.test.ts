import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Cxone, startCxone } from '../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../src/sandbox/headgate-process.js'
import { type Kafka, startKafka } from '../../src/sandbox/kafka.js'
import { TOPICS, WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/sandbox.js'
import { NOT_RUN } from '../docs/not-run.js'
import { freePorts } from '../helpers/free-ports.js'
import { blocksOf, PAGES, WALKED } from '../helpers/pages.js'
import { eventText } from '../helpers/processes/deployment.js'
import { reader, shell } from '../helpers/processes/reader.js'

/** Pages write this for a value of the reader; the simulated CXone and the sender use it as it stands. */
const ELLIPSIS = '...'
const SECRETS = { CXONE_CLIENT_ID: ELLIPSIS, CXONE_CLIENT_SECRET: ELLIPSIS, WEBHOOK_TOKEN: ELLIPSIS }

interface Case {
  readonly name: string
  readonly script: string
  /** The variables are introduced by the README; the other pages take them for granted. */
  readonly introduces: boolean
}

const cases = PAGES.filter((page) => page !== WALKED)
  .flatMap(blocksOf)
  .filter(({ language, name }) => language === 'sh' && !(name in NOT_RUN))
  .map(({ name, text, page }): Case => ({ name, script: text, introduces: page === 'README.md' }))
/** It goes on until it is stopped: what stands after it is for another terminal. */
const RUNS = /^.*headgate run$/m
const lasting = cases.filter(({ script }) => RUNS.test(script)).map((each) => [each.name, each] as const)
const ending = cases.filter(({ script }) => !RUNS.test(script)).map((each) => [each.name, each] as const)

describe('what pages show is run in a copy of what the reader has, on an embedded Kafka', () => {
  let kafka: Kafka
  let cxone: Cxone
  let headgate: HeadgateProcess
  let deadLetter: string
  const started: (() => unknown)[] = []

  beforeAll(async () => {
    kafka = await startKafka(TOPICS)
    started.push(kafka.stop)
    cxone = await startCxone({ clientId: ELLIPSIS, clientSecret: ELLIPSIS })
    started.push(() => cxone.close())
    const config = join(
      reader((clean) => started.push(clean)),
      'plugins.config.json',
    )
    const shipped = readFileSync(SHIPPED_CONFIG, 'utf8')
    writeFileSync(config, shipped.replace('"json-schema",', '"json-schema", "onError": "dead-letter",'))
    headgate = await startHeadgate({ config, env: { ...surroundings(), HEADGATE_CONFIG_WRITABLE: 'true' } })
    started.push(headgate.stop)
    deadLetter = await makeDeadLetter()
  })
  afterAll(async () => {
    for (const stop of started.toReversed()) await stop()
  })

  const surroundings = () => ({ ...SECRETS, KAFKA_BROKERS: kafka.bootstrap, CXONE_BASE_URL: cxone.url })

  /** Its place in the topic, as `dlq list` shows it. */
  async function makeDeadLetter(): Promise<string> {
    const response = await fetch(new URL(WEBHOOK_PATH, headgate.intake), {
      method: 'POST',
      headers: { authorization: `Bearer ${ELLIPSIS}`, 'content-type': 'application/json' },
      body: eventText('bad', '7'),
    })
    const body = (await response.json()) as { readonly [member: string]: unknown }
    expect(body).toMatchObject({ outcome: 'dead-lettered' })
    return `${body['partition']}:${body['offset']}`
  }

  /** Puts what is another in every place where the page has an example of it. */
  const here = (script: string, admin: string): string =>
    script
      .replaceAll('kafka-1:9092,kafka-2:9092', kafka.bootstrap)
      .replaceAll('https://api.example.niceincontact.com', cxone.url)
      .replaceAll('http://127.0.0.1:8083', new URL(admin).origin)
      .replaceAll(/(?<=connectors|loggers|pipelines)\/orders/g, '/cxone-data-actions')
      .replaceAll('0:12', deadLetter)

  const ends = async (script: string, cwd: string, admin: string) => {
    const env = { ...surroundings(), HEADGATE_ADMIN_PORT: new URL(admin).port }
    const { code, output } = await shell(here(script, admin), cwd, env).ended
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/./) })
  }

  test.each(ending)('%s', async (_name, { script }) => {
    await ends(script, reader(onTestFinished), headgate.admin)
  })

  test.each(lasting)('%s, and it takes events', async (_name, { script, introduces }) => {
    const cwd = reader(onTestFinished)
    const [port, adminPort] = (await freePorts(2)).map(String)
    const admin = `http://127.0.0.1:${adminPort}`
    const [run = ''] = RUNS.exec(script) ?? []
    const [before = '', after = ''] = script.split(run)
    const running = shell(here(`${before}${run}`, admin), cwd, {
      ...(introduces ? {} : surroundings()),
      HEADGATE_PORT: `${port}`,
      HEADGATE_ADMIN_PORT: `${adminPort}`,
    })
    onTestFinished(async () => {
      running.kill()
      await running.ended
    })
    const ready = () =>
      fetch(`${admin}/ready`).then(
        ({ status }) => status,
        () => Promise.race([running.ended, 'not yet']),
      )
    await expect.poll(ready, { timeout: 30_000 }).toBe(200)
    if (after.trim() !== '') await ends(after, cwd, admin)
  })
})
