import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { topicsCommand } from '../../src/commands/topics.js'
import { validateCommand } from '../../src/commands/validate.js'
import { startCxone } from '../../src/sandbox/cxone.js'
import { temporaryDirectory } from '../helpers/context.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { createTopic } from '../helpers/kafka/topics.js'
import { environment } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

describeKafka('headgate topics', () => {
  test('lists the topics that the config needs, reports the plan, and creates the missing ones', async () => {
    const prefix = `test-${randomUUID()}`
    await createTopic(sharedKafka(), `${prefix}.eu`)
    const config = readFileSync('plugins.config.json', 'utf8')
      .replaceAll('./schemas/', `${resolve('schemas')}/`)
      .replaceAll('cxone.data.actions', prefix)
    const cwd = temporaryDirectory({ 'plugins.config.json': config })
    const env = environment(sharedKafka(), { url: 'http://127.0.0.1:1' })
    const topics = (options: object = {}) =>
      runCommand(topicsCommand, { options: { ...options } }, { cwd, env })

    const missing = await topics()
    expect(missing.code).toBe(1)
    expect(missing.out).toMatch(new RegExp(`${prefix}\\.high +1 +no such topic`))
    expect(missing.out).toMatch(new RegExp(`${prefix}\\.eu +2 +1`))
    expect(missing.out).toMatch(new RegExp(`${prefix}\\.dlq +any +no such topic`))
    expect(missing.out).toContain('"headgate topics --create" creates the missing topics and partitions')

    const dry = await topics({ create: true, dryRun: true })
    expect(dry.code).toBe(1)
    expect(dry.out).toMatch(new RegExp(`--create --topic ${prefix}\\.default --partitions 3\n`))
    expect(dry.out).toMatch(new RegExp(`--alter --topic ${prefix}\\.eu --partitions 2\n`))
    expect((await topics()).out).toBe(missing.out)

    const created = await topics({ create: true })
    expect([created.code, created.err]).toEqual([0, ''])
    expect(created.out).toContain(`Topic "${prefix}.high" created.`)
    expect(created.out).toContain(`Topic "${prefix}.eu" has 2 partitions now.`)
    await expect.poll(async () => (await topics()).code, { timeout: 30_000 }).toBe(0)
    expect((await topics()).out).toMatch(new RegExp(`${prefix}\\.default +3 +3`))
  })

  test('an inbox is created with partitions and a retention that suit it', async () => {
    const prefix = `test-${randomUUID()}`
    const config = readFileSync('plugins.config.json', 'utf8')
      .replaceAll('./schemas/', `${resolve('schemas')}/`)
      .replaceAll('cxone.data.actions', prefix)
      .replace('"source": {', `"inbox": { "topic": "${prefix}.inbox" }, "source": {`)
    const cwd = temporaryDirectory({ 'plugins.config.json': config })
    const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
    onTestFinished(() => cxone.close())
    const env = environment(sharedKafka(), cxone)
    const created = await runCommand(topicsCommand, { options: { create: true } }, { cwd, env })
    expect([created.code, created.err]).toEqual([0, ''])
    const options = { againstCluster: true }
    const validate = async () => (await runCommand(validateCommand, { options }, { cwd, env })).out
    // A broker hears of a new topic a little after the controller has made it.
    await expect
      .poll(validate)
      .toMatch(new RegExp(`"${prefix}\\.inbox" exists: 12 partitions, .*retention\\.ms=691200000,`))
  })

  test('a cluster that does not answer is said to be unreachable', async () => {
    const env = environment('127.0.0.1:1', { url: 'http://127.0.0.1:1' })
    const { code, err } = await runCommand(topicsCommand, { options: { timeout: '1s' } }, { env })
    expect([code, err]).toEqual([1, expect.stringMatching(/^HG_KAFKA_UNAVAILABLE: /)])
  })
})
