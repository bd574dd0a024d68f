import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { milliseconds } from '../../src/lib/units.js'
import { SETTINGS } from '../../src/process/settings.js'
import { installed, type Manifest, outputOf, read, yamlOf } from './read-deploy.js'

const COMPOSE = 'deploy/compose.yaml'
const [compose] = yamlOf(COMPOSE)
const { kafka, headgate, prometheus, grafana } = compose.services

test('compose.yaml is what the Compose Specification allows', () => {
  const check = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(
    JSON.parse(read('test/deploy/schemas/compose.json')),
  )
  check(compose)
  expect(check.errors ?? []).toEqual([])
  expect(check({ services: { headgate: { ...headgate, comand: 'run' } } })).toBe(false)
})

const docker = installed('docker', 'compose', 'version')

test.skipIf(docker === undefined)('Docker takes it', () => {
  const env = {
    ...process.env,
    WEBHOOK_TOKEN: 'a',
    CXONE_BASE_URL: 'b',
    CXONE_CLIENT_ID: 'c',
    CXONE_CLIENT_SECRET: 'd',
  }
  expect(() => outputOf('docker', ['compose', '-f', COMPOSE, 'config', '--quiet'], env)).not.toThrow()
})

test('a service waits for others that exist, and for health only of those that say how they are', () => {
  for (const { depends_on = {} } of Object.values<Manifest>(compose.services)) {
    for (const [name, { condition }] of Object.entries<Manifest>(depends_on)) {
      expect(compose.services).toHaveProperty(name)
      if (condition === 'service_healthy') expect(compose.services[name]).toHaveProperty('healthcheck.test')
    }
  }
})

test('what is mounted from here exists, and what is mounted by name is declared', () => {
  for (const { volumes = [] } of Object.values<Manifest>(compose.services)) {
    for (const volume of volumes) {
      const [from] = volume.split(':')
      if (from.startsWith('.')) expect(existsSync(join('deploy', from)), from).toBe(true)
      else expect(compose.volumes).toHaveProperty(from)
    }
  }
})

test('the folder that is mounted has the shipped config, with the schemas that it names', () => {
  for (const path of [
    'plugins.config.json',
    'schemas/cxone-data-action.schema.json',
    'schemas/plugins.config.schema.json',
  ])
    expect(read(join('deploy/config', path)), path).toBe(read(path))
  expect(headgate.volumes).toContain('./config:/etc/headgate:ro')
})

test('nothing is published beyond this machine', () => {
  const ports = Object.values<Manifest>(compose.services).flatMap(({ ports = [] }) => ports)
  expect(ports.length).toBeGreaterThan(0)
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
})

test('Headgate is asked, scraped and published where it listens, and has longer to stop than it takes', () => {
  const [intake, admin] = [SETTINGS.port.default, SETTINGS.adminPort.default]
  expect(headgate.ports).toEqual([`127.0.0.1:${intake}:${intake}`, `127.0.0.1:${admin}:${admin}`])
  expect(headgate.healthcheck.test.join(' ')).toContain(`http://127.0.0.1:${admin}/ready`)
  const [{ scrape_configs }] = yamlOf('deploy/prometheus/prometheus.yml')
  expect(scrape_configs[0].static_configs[0].targets).toEqual([`headgate:${admin}`])
  const { HEADGATE_SHUTDOWN_TIMEOUT: timeout, KAFKA_BROKERS: brokers } = headgate.environment
  expect(milliseconds(headgate.stop_grace_period)).toBeGreaterThan(milliseconds(timeout))
  expect(kafka.environment.KAFKA_ADVERTISED_LISTENERS).toContain(`PLAINTEXT://${brokers}`)
})

test('Grafana finds Prometheus and the dashboard where they are', () => {
  const [{ datasources }] = yamlOf('deploy/grafana/provisioning/datasources/prometheus.yaml')
  const [{ providers }] = yamlOf('deploy/grafana/provisioning/dashboards/headgate.yaml')
  expect(datasources[0].url).toBe('http://prometheus:9090')
  expect(prometheus.ports).toEqual(['127.0.0.1:9090:9090'])
  const dashboard = `${providers[0].options.path}/headgate.json`
  expect(grafana.volumes).toContain(`./grafana/headgate.json:${dashboard}:ro`)
  expect(grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(dashboard)
})
