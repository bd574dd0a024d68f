import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { makePair, noOpenssl } from '../helpers/certificates.js'
import { temporaryDirectory } from '../helpers/context.js'
import { pruneTree } from '../helpers/processes/pruned-tree.js'

const dockerfile = readFileSync('Dockerfile', 'utf8').replaceAll(/\\\n/g, '')
const instructions = (name: string) =>
  dockerfile
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1).trim())
const sourcesOf = (copy: string) => copy.split(/\s+/).slice(0, -1)

/** Where the Dockerfile puts the pruned tree: in the build stage, and in the image. */
const BUILT = '/headgate'
const INSTALLED = '/opt/headgate'

test('everything that the build stage copies exists and is let through by .dockerignore', () => {
  const sources = instructions('COPY')
    .filter((copy) => !copy.startsWith('--'))
    .flatMap(sourcesOf)
  const letThrough = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))

  expect(sources).not.toEqual([])
  expect(sources.filter((source) => !existsSync(source))).toEqual([])
  const folders = sources.filter((source) => !sources.some((other) => source.startsWith(`${other}/`)))
  expect(letThrough.map((line) => line.slice(1)).toSorted()).toEqual(folders.toSorted())
})

test('what the image takes over and starts is in the pruned tree', async () => {
  const tree = await pruneTree()
  onTestFinished(() => tree.remove())
  const copied = instructions('COPY')
    .filter((copy) => copy.startsWith('--from=build'))
    .map((copy) => sourcesOf(copy)[1])
  const [node, program] = JSON.parse(instructions('ENTRYPOINT')[0] ?? '')

  expect(
    copied.map((path) => path?.replace(BUILT, tree.path)).filter((path) => !existsSync(path ?? '')),
  ).toEqual([])
  expect(node).toBe('node')
  expect(existsSync(join(tree.path, program.replace(INSTALLED, '')))).toBe(true)
})

test('HEALTHCHECK tells whether Headgate lives, with or without Kafka', () => checkHealth({}))

test.skipIf(noOpenssl !== undefined)(
  'HEALTHCHECK tells it, too, where the admin listener speaks HTTPS',
  () => {
    const { cert, key } = makePair(temporaryDirectory(), 'server')
    return checkHealth({ HEADGATE_ADMIN_TLS_CERT: cert, HEADGATE_ADMIN_TLS_KEY: key })
  },
)

async function checkHealth(settings: { readonly [name: string]: string }): Promise<void> {
  const headgate = await startHeadgate({
    config: 'plugins.config.json',
    until: 'listening',
    env: {
      KAFKA_BROKERS: '127.0.0.1:1',
      CXONE_BASE_URL: 'http://127.0.0.1:1',
      CXONE_CLIENT_ID: 'id',
      CXONE_CLIENT_SECRET: 'secret',
      WEBHOOK_TOKEN: 'token',
      ...settings,
    },
  })
  onTestFinished(async () => void (await headgate.stop()))
  const env = { ...settings, HEADGATE_ADMIN_PORT: new URL(headgate.admin).port }

  expect(await healthCheck(env)).toBe(0)
  await headgate.stop()
  expect(await healthCheck(env)).toBe(1)
}

async function healthCheck(env: { readonly [name: string]: string }): Promise<number> {
  const command = /CMD (\[.*\])$/.exec(instructions('HEALTHCHECK')[0] ?? '')?.[1] ?? ''
  const [node, ...args] = JSON.parse(command)
  expect(node).toBe('node')
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  return code
}
