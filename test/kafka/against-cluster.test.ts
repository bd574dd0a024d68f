import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { validateCommand } from '../../src/commands/validate.js'
import type { Sink } from '../../src/contract/index.js'
import { startCxone } from '../../src/sandbox/cxone.js'
import { temporaryDirectory } from '../helpers/context.js'
import { freePorts } from '../helpers/free-ports.js'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { startSink } from '../helpers/kafka/sink.js'
import { createTopic } from '../helpers/kafka/topics.js'
import { environment } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const prefix = `test-${randomUUID()}`
const shipped = readFileSync('plugins.config.json', 'utf8')
  .replaceAll('./schemas/', `${resolve('schemas')}/`)
  .replaceAll('cxone.data.actions', prefix)
const high = `"${prefix}.high", "partition": 0`

/** TLS, logins and rights are looked at in faults/access.test.ts, where there is a broker with users. */
describeKafka('validate --against-cluster', () => {
  beforeAll(async () => {
    const topic = (name: string, config = {}) =>
      createTopic(sharedKafka(), `${prefix}.${name}`, { partitions: 3, config })
    for (const name of ['high', 'eu', 'default', 'dlq']) await topic(name)
    await topic('small', { 'max.message.bytes': '1000', 'retention.ms': '60000' })
    await topic('compacted', { 'cleanup.policy': 'compact' })
    await topic('strict', { 'min.insync.replicas': '2' })
  })

  async function validated({
    change = (text: string) => text,
    env = {},
    options = {},
  }: {
    change?: (text: string) => string
    env?: object
    options?: object
  }) {
    const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret' })
    onTestFinished(() => cxone.close())
    const cwd = temporaryDirectory({ 'plugins.config.json': change(shipped) })
    const input = { options: { againstCluster: true, ...options } }
    const io = { cwd, env: { ...environment(sharedKafka(), cxone), ...env } }
    return { ...(await runCommand(validateCommand, input, io)), cxone }
  }

  test('says of each topic, the group and the sender what it looked at, and that one copy is one copy', async () => {
    const { log } = await startSink(sharedKafka(), [{ topic: `${prefix}.high` }])
    // Since then, the cluster has a place for the positions of groups.
    await log.partitions()

    const { code, out, err, cxone } = await validated({})
    expect(code).toBe(0)
    expect(out).toContain(
      [
        'checked:',
        `  cxone-data-actions kafka: Kafka responds at ${sharedKafka()}.`,
        ...['high', 'eu', 'default', 'dlq'].map(
          (name) =>
            `  cxone-data-actions kafka: Topic "${prefix}.${name}" exists: 3 partitions, one replica, min.insync.replicas=1, max.message.bytes=1048588, cleanup.policy=delete, retention.ms=604800000, compression.type=producer.`,
        ),
        '  cxone-data-actions kafka: The position of consumer group "headgate.cxone-data-actions" can be read.',
        '  cxone-data-actions kafka: Instances can find each other in consumer group "headgate.cxone-data-actions.instances".',
        '  cxone-data-actions cxone-ack: The token endpoint issues a token for these credentials.',
        '  cxone-data-actions cxone-ack: The API responds (404 to OPTIONS /; nothing was acknowledged).',
        '',
      ].join('\n'),
    )
    expect(out).not.toContain('not checked')
    expect(err.match(/ is confirmed as soon as one broker has it: it has one replica\./g)).toHaveLength(4)
    expect([cxone.tokensIssued, cxone.acknowledged.size, cxone.responses.size]).toEqual([1, 0, 0])
  })

  test('all that is wrong comes at once, each at its place in the order of the file', async () => {
    const [dead] = await freePorts(1)
    const { code, out, err } = await validated({
      change: (text) =>
        text
          .replace(high, `"${prefix}.hihg", "partition": 0`)
          .replace('"partition": 1', '"partition": 3')
          .replace('.default"', '.strict"'),
      env: { KAFKA_BROKERS: `127.0.0.1:${dead},${sharedKafka()}`, CXONE_CLIENT_SECRET: 'wrong-secret' },
    })
    expect([code, out]).toEqual([1, ''])
    const told = err.split('\n').filter((line) => /^ {2}HG_|^plugins.config.json.*/.test(line))
    expect(
      told.filter((line, index) => told[index + 1]?.startsWith('  HG_') || line.startsWith('  HG_')),
    ).toEqual([
      'plugins.config.json:24:34  /pipelines/cxone-data-actions/transforms/1/config/rules/0/to/topic',
      `  HG_KAFKA_TOPIC_MISSING: Topic "${prefix}.hihg" does not exist.`,
      expect.stringContaining('/rules/1/to/partition'),
      `  HG_KAFKA_PARTITION_MISSING: Topic "${prefix}.eu" has no partition 3: its 3 partitions are 0 to 2.`,
      expect.stringContaining('/otherwise/topic'),
      `  HG_KAFKA_UNAVAILABLE: Partition 2 of topic "${prefix}.strict" can never take a record: it has one replica, and min.insync.replicas is 2.`,
      expect.stringContaining('/sink/config/brokers'),
      `  HG_KAFKA_UNAVAILABLE: Kafka cannot be reached at 127.0.0.1:${dead}, one of 2 addresses: nothing listens there.`,
      expect.stringContaining('/postCommit/0/config/clientSecret'),
      '  HG_ACK_TOKEN: The token endpoint answered 401 (invalid_client).',
    ])
    expect(err).toContain(`  Did you mean "${prefix}.high"? If not: "headgate topics --create" creates it.`)
    expect(err).toContain(
      `"topic": "${prefix}.hihg", "partition": 0 }\n     |                                  ^^^`,
    )
    expect(err).not.toContain('wrong-secret')
  })

  test('settings of topics that do not go with the config are warnings, which a comment silences', async () => {
    const { code, err } = await validated({
      change: (text) =>
        text
          .replace('"to": { "topic"', '// headgate-ignore: one-copy only a test\n"to": { "topic"')
          .replace(high, `"${prefix}.small", "partition": 0`)
          .replace('.dlq"', '.compacted"'),
      options: { strict: true },
    })
    expect(code).toBe(1)
    const warnings = [...err.matchAll(/warning ([\w-]+): (.*)/g)].map(([, name, message]) => [name, message])
    expect(warnings).toEqual([
      [
        'body-beyond-topic',
        `Topic "${prefix}.small" takes records of up to 1000 bytes (max.message.bytes), the source bodies of up to 1003520 (maxBody), and key and headers may need 45068 more: Kafka rejects a larger record, and the sender gets status 413.`,
      ],
      [
        'batch-beyond-topic',
        `Topic "${prefix}.small" takes batches of up to 1000 bytes (max.message.bytes), the sink makes batches of up to 65536 (batch.size): brokers reject those, and the sink sends their records again in smaller batches.`,
      ],
      [
        'retention-below-window',
        `Topic "${prefix}.small" keeps records for 60000 ms (retention.ms), but Headgate has to recognise redeliveries for 86400000 ms (redelivery.window).`,
      ],
      [
        'topic-without-rule',
        `No rule sends events to the topics "${prefix}.high" and "${prefix}.strict", and their names are like "${prefix}.small", "${prefix}.eu" and "${prefix}.default".`,
      ],
      ['one-copy', expect.stringContaining('.eu')],
      ['topic-compacted', expect.stringContaining('keeps only the newest record of each key')],
    ])
    // The others of one name are a line each.
    expect(err).toMatch(/ {2}also:\n.*\.default" is confirmed .*\n.*\.compacted" is confirmed /)
  })

  test('partitions that rules leave over are named, unless a comment says why', async () => {
    const shared = (text: string) => text.replace(`"${prefix}.eu"`, `"${prefix}.high"`)
    const { err } = await validated({ change: shared })
    expect(err).toContain(
      `  warning partition-without-rule: No rule sends events to partition 2 of topic "${prefix}.high", which has 3 partitions: every rule that writes to it names another one.`,
    )
    expect(err).toContain('"headgate help partition-without-rule" explains it')
    const silenced = await validated({
      change: (text) =>
        shared(text).replace('"to"', '\n// headgate-ignore: partition-without-rule a spare one\n"to"'),
    })
    expect(silenced.err).not.toContain('warning partition-without-rule')
  })

  test('an inbox is checked for what it needs, and its warnings stand at its place', async () => {
    const withInbox = (topic: string) => (text: string) =>
      text.replace('"source": {', `"inbox": { "topic": "${prefix}.${topic}" }, "source": {`)
    await createTopic(sharedKafka(), `${prefix}.inbox`, { partitions: 6 })
    const good = await validated({ change: withInbox('inbox') })
    expect(good.code).toBe(0)
    expect(good.out).toContain(
      'The cluster has transactions, and the user may use transactional ids that begin with "headgate.cxone-data-actions.".',
    )
    for (const group of ['headgate.cxone-data-actions', 'headgate.cxone-data-actions.acknowledged'])
      expect(good.out).toContain(`The position of consumer group "${group}" can be read.`)
    expect(good.out).not.toContain('headgate.cxone-data-actions.instances')
    expect(good.err).toMatch(/inbox\/topic\n {2}warning inbox-readers: Kafka does not report how/)
    expect(good.err).not.toContain('inbox-retention')

    const compacted = await validated({ change: withInbox('compacted') })
    expect([compacted.code, compacted.err]).toEqual([
      1,
      expect.stringMatching(/inbox\/topic\n {2}HG_INBOX_COMPACTED: The inbox .* has cleanup\.policy=compact/),
    ])
    expect((await validated({ change: withInbox('small') })).err).toMatch(
      /warning inbox-retention: The inbox .* keeps events for 60000 ms/,
    )
  })

  test('an inbox that the config no longer has is a warning while something in it is left', async () => {
    const pipeline = `test-${randomUUID()}`
    const [former, next] = [`${prefix}.former`, `${prefix}.next`]
    for (const topic of [former, next]) await createTopic(sharedKafka(), topic, { partitions: 3 })
    const { sink } = await startSink(sharedKafka(), [{ topic: former }], { pipeline })
    const member = await (sink as Required<Sink>).inbox(former).join()
    await member.leave()
    const change = (topic?: string) => (text: string) =>
      text
        .replace('"cxone-data-actions"', `"${pipeline}"`)
        .replace(
          '"source": {',
          `${topic === undefined ? '' : `"inbox": { "topic": "${topic}" }, `}"source": {`,
        )
    for (const topic of [undefined, next]) {
      const { out, err } = await validated({ change: change(topic) })
      expect(out).toContain(`Nothing is left in "${former}", which the pipeline worked off before.`)
      expect(err).not.toContain('former-topics')
    }
    const target = { topic: former, partition: 0 }
    await sink.send({ target, key: null, value: Buffer.from('{}'), headers: [] })
    for (const [topic, place] of [
      [undefined, 'sink/config/brokers'],
      [next, 'inbox/topic'],
    ] as const)
      expect((await validated({ change: change(topic) })).err).toMatch(
        new RegExp(
          `${place}(\\n {2}warning .*)*\\n {2}warning former-topics: .* 1 of its records are not worked off`,
        ),
      )
    expect((await validated({ change: change(former) })).err).not.toContain('former-topics')
  })

  test('without a key, a compacted topic takes nothing', async () => {
    const { code, err } = await validated({
      change: (text) =>
        text.replace(high, `"${prefix}.compacted", "partition": 0`).replace('"key": "/dataActionId",', ''),
    })
    expect([code, err]).toEqual([1, expect.stringContaining('HG_RECORD_REFUSED: Topic')])
  })

  test('a listener that speaks another protocol is told from one that is not there', async () => {
    const { code, err } = await validated({
      change: (text) => text.replace('"properties": {}', '"properties": { "security.protocol": "SSL" }'),
      options: { timeout: '6s' },
    })
    expect(code).toBe(1)
    expect(err).toMatch(/properties\/security\.protocol\n {2}HG_KAFKA_UNAVAILABLE/)
    expect(err).toContain('That listener may speak another protocol')
    expect(err).toContain('not checked:\n  cxone-data-actions kafka: Topics and the consumer group')
  })
})
