/**
 * A broker that knows its users: SASL, TLS and access control. These cases stand beside the 25: none of them is lost, all
 * of them end by themselves when the cause is gone.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { validateCommand } from '../../src/commands/validate.js'
import { temporaryDirectory } from '../helpers/context.js'
import { startKafkaCluster } from '../helpers/kafka/cluster.js'
import { describeKafka } from '../helpers/kafka/real-kafka.js'
import { kafkaTool } from '../helpers/kafka/tool.js'
import { sharedByTests } from '../helpers/lasting.js'
import { topicsPipeline } from '../helpers/pipelines/topics-pipeline.js'
import { type Deployment, deploy, eventText } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'
import { expectOnceAndAcknowledged } from './invariant.js'

const LATER = { timeout: 60_000, interval: 100 }
const PASSWORD = 'scram-secret'
const STORE_PASSWORD = 'store-secret'
const ACLS = 'org.apache.kafka.tools.AclCommand'
const CONFIGS = 'kafka.admin.ConfigCommand'
const PREFIXED = ['--resource-pattern-type', 'prefixed']

describeKafka('what Headgate promises on a Kafka with users', () => {
  const kafka = sharedByTests(async (atEnd) => {
    const directory = temporaryDirectory({}, atEnd)
    // Two keys of one name: the broker begins with the one that nobody trusts.
    const stranger = makeKey(directory, 'stranger')
    const trusted = makeKey(directory, 'trusted')
    const cluster = await startKafkaCluster({
      listeners: { SASL: { protocol: 'SASL_PLAINTEXT' }, TLS: { protocol: 'SSL' } },
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // The tests themselves, and the broker.
        'super.users': 'User:ANONYMOUS',
        'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
        'listener.name.sasl.scram-sha-512.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        'listener.name.tls.ssl.keystore.type': 'PKCS12',
        'listener.name.tls.ssl.keystore.location': stranger.store,
        'listener.name.tls.ssl.keystore.password': STORE_PASSWORD,
        'listener.name.tls.ssl.key.password': STORE_PASSWORD,
      },
    })
    atEnd(() => cluster.stop())
    return { ...cluster, trusted }
  })

  test('SASL credentials that the broker does not know, and authorization that is lost while running: 503 with the reason, until they are granted', async () => {
    const { bootstrap, addresses } = kafka()
    const allow = ['--allow-principal', 'User:headgate']
    const write = ['--operation', 'Write', '--topic', 'test-', ...PREFIXED, ...allow]
    await kafkaTool(
      bootstrap,
      ACLS,
      '--add',
      ...allow,
      '--consumer',
      '--topic',
      'test-',
      '--group',
      'headgate.',
      ...PREFIXED,
    )
    await kafkaTool(bootstrap, ACLS, '--add', ...write)
    const deployment = await deploy(bootstrap, {
      brokers: addresses['SASL'] ?? '',
      until: 'listening',
      config: properties(LOGIN),
      env: { SASL_PASSWORD: PASSWORD },
    })
    const { post, ready, cxone, headgate } = deployment
    await expect.poll(() => reasons(deployment), LATER).toMatch(/credentials|authentication/i)
    await expectRefused(deployment, 'unknown user')
    expect(await validated(deployment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/sasl\.password\n.*HG_KAFKA_UNAVAILABLE[\s\S]*Kafka refuses the login/),
    })

    const scram = `SCRAM-SHA-512=[iterations=4096,password=${PASSWORD}]`
    const user = ['--entity-type', 'users', '--entity-name', 'headgate']
    await kafkaTool(bootstrap, CONFIGS, '--alter', ...user, '--add-config', scram)
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)
    expect(await post(eventText('unknown user', '{}'))).toMatchObject({ body: { outcome: 'delivered' } })
    const allowed = await validated(deployment)
    expect(allowed).toMatchObject({
      code: 0,
      out: expect.stringMatching(/checked:[\s\S]*position of consumer group/),
    })
    expect(allowed.out).toMatch(
      /not checked:\n.*could not be read: the user of the sink lacks .*DescribeConfigs/,
    )

    // Another pipeline, so that the instances of this one go on.
    const other = renamed(deployment)
    const group = `headgate.${other.pipeline}.instances`
    expect((await validated(other)).out).toContain(
      `Instances can find each other in consumer group "${group}".`,
    )
    const denied = ['--deny-principal', 'User:headgate', '--operation', 'Read', '--group', group]
    await kafkaTool(bootstrap, ACLS, '--add', ...denied)
    const alone = await validated(other)
    expect(alone.err).toContain(
      `HG_KAFKA_NOT_ALLOWED: The user lacks the right Read on consumer group "${group}".`,
    )
    expect(alone.err).toMatch(/kafka-acls.* --operation Read --group \S*\.instances/)

    const transactional = ['--operation', 'Write', '--transactional-id', 'headgate.', ...PREFIXED, ...allow]
    expect((await validated(withInbox(deployment))).err).toMatch(
      /HG_KAFKA_NOT_ALLOWED: The user lacks the right Write on transactional ids that begin with "headgate\./,
    )
    await kafkaTool(bootstrap, ACLS, '--add', ...transactional)
    expect((await validated(withInbox(deployment))).out).toContain(
      'The cluster has transactions, and the user may use',
    )

    const source = await validated(withSource(deployment, addresses['SASL'] ?? ''))
    expect(source.err).toContain(`The source may read topic "${deployment.prefix}.eu".`)
    expect(source.err).toMatch(
      /source\/config\/topics\/1\n {2}HG_KAFKA_NOT_ALLOWED: The user may not see topic "elsewhere"/,
    )

    await kafkaTool(bootstrap, ACLS, '--remove', '--force', ...write)
    const refused = await expectRefused(deployment, 'not allowed')
    expect(refused.body).toMatchObject({ code: 'HG_KAFKA_UNAVAILABLE' })
    await expect.poll(() => headgate.lines.join('\n')).toMatch(/may not write to the topic/)
    expect(cxone.acknowledged.has('not allowed')).toBe(false)
    const missing = await validated(deployment)
    expect(missing.err).toMatch(
      /rules\/0\/to\/topic\n {2}HG_KAFKA_NOT_ALLOWED: The user lacks the right Write on topic/,
    )
    for (const { out, err } of [allowed, missing]) expect(out + err).not.toContain(PASSWORD)

    await kafkaTool(bootstrap, ACLS, '--add', ...write)
    const status = async () => (await post(eventText('not allowed', '{}'))).status
    await expect.poll(status, LATER).toBe(200)
    await expectOnceAndAcknowledged(deployment, ['unknown user', 'not allowed'])
    expect(headgate.lines.join('\n')).not.toContain(PASSWORD)
  })

  test('TLS with a broker whose certificate is not trusted: 503 with the reason, until it has the right one', async () => {
    const { bootstrap, addresses, trusted } = kafka()
    const deployment = await deploy(bootstrap, {
      brokers: addresses['TLS'] ?? '',
      until: 'listening',
      config: properties({ 'security.protocol': 'SSL', 'ssl.ca.location': trusted.certificate }),
    })
    const { post, ready } = deployment
    await expect.poll(() => reasons(deployment), LATER).toMatch(/TLS|certificate/)
    await expectRefused(deployment, 'not trusted')
    expect((await validated(deployment)).err).toMatch(
      /ssl\.ca\.location\n[\s\S]*Its certificate is not trusted/,
    )

    const location = `listener.name.tls.ssl.keystore.location=${trusted.store}`
    const broker = ['--entity-type', 'brokers', '--entity-name', '1']
    await kafkaTool(bootstrap, CONFIGS, '--alter', ...broker, '--add-config', location)
    await expect.poll(async () => (await ready()).status, LATER).toBe(200)
    expect(await post(eventText('not trusted', '{}'))).toMatchObject({ body: { outcome: 'delivered' } })
    expect(await validated(deployment)).toMatchObject({
      code: 0,
      out: expect.stringContaining('min.insync.replicas=1'),
    })
    await expectOnceAndAcknowledged(deployment, ['not trusted'])
  })
})

const LOGIN = {
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'SCRAM-SHA-512',
  'sasl.username': 'headgate',
  'sasl.password': '${env:SASL_PASSWORD}',
}

const properties = (given: { readonly [name: string]: string }) => (text: string) =>
  text.replace('"properties": {}', () => `"properties": ${JSON.stringify(given)}`)

/** The report of `headgate validate --against-cluster` on its config. */
const validated = ({ configFile, environment }: Deployment) =>
  runCommand(
    validateCommand,
    { arguments: [configFile], options: { againstCluster: true, timeout: '5s' } },
    { env: { ...environment, SASL_PASSWORD: PASSWORD } },
  )

/** Its config, with an inbox in one of its topics. */
function withInbox({ configFile, environment, prefix, ...more }: Deployment): Deployment {
  const text = readFileSync(configFile, 'utf8')
    .replace('"source": {', `"inbox": { "topic": "${prefix}.high" }, "source": {`)
    .replace(`"${prefix}.high", "partition": 0`, `"${prefix}.eu", "partition": 0`)
  const folder = temporaryDirectory({ 'plugins.config.json': text })
  return { ...more, prefix, environment, configFile: join(folder, 'plugins.config.json') }
}

/** A pipeline that reads one of its topics, and one that the user has no right on. */
function withSource(deployment: Deployment, brokers: string): Deployment {
  const config = { brokers, headers: {}, properties: LOGIN }
  const topics = [`${deployment.prefix}.eu`, 'elsewhere']
  const text = topicsPipeline({ topics }, { sink: { plugin: 'kafka', config } })
  const folder = temporaryDirectory({ 'plugins.config.json': text })
  return { ...deployment, configFile: join(folder, 'plugins.config.json') }
}

/** Its config, under another name of the pipeline. */
function renamed({ configFile, pipeline, ...more }: Deployment): Deployment {
  const name = `${pipeline}-renamed`
  const text = readFileSync(configFile, 'utf8').replace(`"${pipeline}": {`, `"${name}": {`)
  const folder = temporaryDirectory({ 'plugins.config.json': text })
  return { ...more, pipeline: name, configFile: join(folder, 'plugins.config.json') }
}

const reasons = async ({ ready }: Deployment): Promise<string> => (await ready()).reasons.join('; ')

async function expectRefused({ post }: Deployment, id: string) {
  const response = await post(eventText(id, '{}'))
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
  return response
}

/** A key with a certificate that it signed itself, for a broker on loopback. */
function makeKey(directory: string, name: string) {
  const store = join(directory, `${name}.p12`)
  const certificate = join(directory, `${name}.pem`)
  const shared = [
    '-alias',
    'broker',
    '-keystore',
    store,
    '-storetype',
    'PKCS12',
    '-storepass',
    STORE_PASSWORD,
  ]
  const names = ['-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1,dns:localhost']
  keytool('-genkeypair', '-keyalg', 'EC', ...names, ...shared)
  keytool('-exportcert', '-rfc', '-file', certificate, ...shared)
  expect(readFileSync(certificate, 'utf8')).toContain('BEGIN CERTIFICATE')
  return { store, certificate }
}

const keytool = (...args: string[]) => execFileSync('keytool', args, { stdio: 'pipe' })
