import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'jsonc-parser'
import { describe, expect, test } from 'vitest'
import { validateCommand } from '../../src/commands/validate.js'
import { milliseconds } from '../../src/lib/units.js'
import { SETTINGS } from '../../src/process/settings.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runCommand } from '../helpers/recorded-io.js'
import { faults, faultsOf } from './kubernetes-schemas.js'
import { deployFiles, installed, type Manifest, outputOf, parseYaml, read, yamlOf } from './read-deploy.js'

const core = (name: string): string => `#/$defs/io.k8s.api.core.v1.${name}`

const PATCH = 'deploy/kubernetes/sidecar/statefulset-patch.yaml'
const files = deployFiles('.yaml').filter((path) => path.startsWith('deploy/kubernetes'))
const kustomizations = files.filter((path) => path.endsWith('kustomization.yaml'))
const manifests = files.filter((path) => path !== PATCH && !kustomizations.includes(path))

const [statefulSet] = yamlOf('deploy/kubernetes/base/statefulset.yaml')
const [patch] = yamlOf(PATCH)
const inBase: Manifest = statefulSet.spec.template.spec.containers[0]
const inSidecar: Manifest = patch.spec.template.spec.containers.find(
  ({ name }: Manifest) => name === 'headgate',
)

describe('against the published schemas', () => {
  test.each(manifests)('%s', (path) => {
    for (const manifest of yamlOf(path)) expect(faultsOf(manifest)).toEqual([])
  })

  test('the parts of the patch for a sidecar', () => {
    for (const container of patch.spec.template.spec.containers)
      expect(faults(container, core('Container'))).toEqual([])
    for (const volume of patch.spec.template.spec.volumes) expect(faults(volume, core('Volume'))).toEqual([])
  })

  test('they would say so if something were wrong', () => {
    const wrong = structuredClone(statefulSet)
    wrong.spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true
    expect(faultsOf(wrong)).toMatchObject([{ params: { additionalProperty: 'readOnlyRootFileSystem' } }])
  })
})

const kubectl = installed('kubectl', 'kustomize', '--help')

const EXAMPLES = readdirSync('deploy/kubernetes/examples').map((name) => `examples/${name}`)

describe.skipIf(kubectl === undefined)('built with kustomize', () => {
  test.each(EXAMPLES)('%s takes the image from where its "images" say that it was pushed to', (folder) => {
    const copy = temporaryDirectory()
    cpSync('deploy/kubernetes', copy, { recursive: true })
    for (const example of EXAMPLES) {
      const file = join(copy, example, 'kustomization.yaml')
      const pushed = readFileSync(file, 'utf8')
        .replace(/newName: headgate\b/, 'newName: images.example.com/headgate')
        .replace(/newTag: .*/, 'newTag: "2"')
      writeFileSync(file, pushed)
    }
    const built = outputOf('kubectl', ['kustomize', join(copy, folder)])
    const images = [...built.matchAll(/^ *(?:- )?image: (.*headgate.*)$/gm)].map(([, image]) => image)
    expect(images).toEqual(['images.example.com/headgate:2'])
  })

  test.each(['base', ...EXAMPLES])('%s gives valid manifests', (folder) => {
    const built = parseYaml(outputOf('kubectl', ['kustomize', join('deploy/kubernetes', folder)]))
    for (const manifest of built) expect(faultsOf(manifest)).toEqual([])
    const [stateful] = built.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment')
    const { containers, volumes = [] } = stateful.spec.template.spec
    const made = built.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name)
    const headgate = containers.find(({ name }: Manifest) => name === 'headgate')
    for (const { configMapRef } of headgate.envFrom) expect(made).toContain(configMapRef.name)
    for (const { configMap } of volumes) if (configMap !== undefined) expect(made).toContain(configMap.name)
    const claims = (stateful.spec.volumeClaimTemplates ?? []).map(({ metadata }: Manifest) => metadata.name)
    const mountable = [...claims, ...volumes.map(({ name }: Manifest) => name)]
    for (const { volumeMounts = [] } of containers)
      for (const { name } of volumeMounts) expect(mountable).toContain(name)
  })

  test.each(['examples/instances', 'examples/keda'])(
    'in %s the autoscaler decides the number of Pods, and a Pod that is stopping gets no events',
    (folder) => {
      const built = parseYaml(outputOf('kubectl', ['kustomize', join('deploy/kubernetes', folder)]))
      const only = (kind: string) =>
        built.find((found) => found.kind === kind && found.metadata.name === 'headgate')
      expect(only('Deployment').spec).not.toHaveProperty('replicas')
      // A Service that publishes Pods that are not ready has those that are stopping, too.
      expect(only('Service').spec.publishNotReadyAddresses).toBe(false)
      expect(only('StatefulSet')).toBeUndefined()
    },
  )
})

describe('several instances', () => {
  const [deployment] = yamlOf('deploy/kubernetes/instances/deployment.yaml')

  test('their Pod is that of one instance, except that it keeps nothing, stops later and is spread', () => {
    const { topologySpreadConstraints, ...spec } = structuredClone(deployment.spec.template.spec)
    const [container] = spec.containers
    const grace = spec.terminationGracePeriodSeconds
    const timeout = container.env.find(({ name }: Manifest) => name === 'HEADGATE_SHUTDOWN_TIMEOUT').value
    expect(container.lifecycle.preStop.sleep.seconds + milliseconds(timeout) / 1000).toBeLessThan(grace)
    delete container.lifecycle
    const state = spec.volumes.pop()
    expect(state).toMatchObject({ name: 'state', emptyDir: {} })
    expect(spec).toEqual(statefulSet.spec.template.spec)
    expect(deployment.spec.template.metadata).toEqual(statefulSet.spec.template.metadata)
    expect(topologySpreadConstraints[0].labelSelector).toEqual(deployment.spec.selector)
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 })
  })

  test('no autoscaler ends the last of them', () => {
    const examples = 'deploy/kubernetes/examples'
    const [{ spec: scaled }] = yamlOf(join(examples, 'keda/scaledobject.yaml'))
    const [{ spec: autoscaled }] = yamlOf(join(examples, 'instances/horizontalpodautoscaler.yaml'))
    expect(Math.min(scaled.minReplicaCount, autoscaled.minReplicas)).toBeGreaterThan(0)
    for (const { name } of [scaled.scaleTargetRef, autoscaled.scaleTargetRef])
      expect(name).toBe(deployment.metadata.name)
  })
})

test('a plain cluster has every kind of the plain example', () => {
  const seen = new Set<string>()
  const kindsOf = (folder: string): string[] => {
    if (seen.has(folder)) return []
    seen.add(folder)
    const [{ resources = [], components = [] }] = yamlOf(join(folder, 'kustomization.yaml'))
    return [...resources, ...components].flatMap((name: string) => {
      const path = join(folder, name)
      return path.endsWith('.yaml') ? yamlOf(path).map(({ apiVersion }) => String(apiVersion)) : kindsOf(path)
    })
  }
  const groups = new Set(kindsOf('deploy/kubernetes/examples/plain').map((version) => version.split('/')[0]))
  expect([...groups].toSorted()).toEqual(['apps', 'networking.k8s.io', 'policy', 'v1'])
})

test('the rules and the dashboard for the Prometheus Operator are those of Prometheus and Grafana', () => {
  const [rule] = yamlOf('deploy/kubernetes/monitoring/prometheusrule.yaml')
  expect(rule.spec).toEqual(yamlOf('deploy/prometheus/headgate.rules.yaml')[0])
  expect(read('deploy/kubernetes/monitoring/headgate.json')).toBe(read('deploy/grafana/headgate.json'))
})

test('an Ingress leads to the port of senders, and lets through what the source takes', () => {
  const [ingress] = yamlOf('deploy/kubernetes/examples/ingress/ingress.yaml')
  const backends = ingress.spec.rules.flatMap(({ http }: Manifest) =>
    http.paths.map(({ backend }: Manifest) => backend.service),
  )
  const [service] = yamlOf('deploy/kubernetes/base/services.yaml')
  expect(backends).toEqual([{ name: service.metadata.name, port: { name: 'intake' } }])
  const { path } = parse(read('plugins.config.json')).pipelines['cxone-data-actions'].source.config
  expect(path.startsWith(ingress.spec.rules[0].http.paths[0].path)).toBe(true)
})

test('every file that a kustomization names exists, and every file is named by one', () => {
  const named = kustomizations.flatMap((path) => {
    const [{ resources = [], components = [], patches = [], configMapGenerator = [] }] = yamlOf(path)
    const generated = configMapGenerator.flatMap(({ files = [] }: Manifest) => files)
    const all: string[] = [
      ...resources,
      ...components,
      ...generated,
      // One without a path is written out there.
      ...patches.flatMap(({ path }: Manifest) => path ?? []),
    ]
    return all.map((name) => join(dirname(path), name))
  })
  for (const path of named) expect(existsSync(path), path).toBe(true)
  for (const path of [...manifests, PATCH]) expect(named).toContain(path)
})

test('the config is the shipped one, with its secrets from files and its schema beside it', () => {
  const shipped = parse(
    read('plugins.config.json')
      .replace(
        /\$\{env:(WEBHOOK_TOKEN|CXONE_CLIENT_ID|CXONE_CLIENT_SECRET)\}/g,
        '${dir:/run/secrets/headgate:$1}',
      )
      .replace('./schemas/cxone-data-action', './cxone-data-action'),
  )
  delete shipped.$schema
  expect(parse(read('deploy/kubernetes/config/plugins.config.json'))).toEqual(shipped)
  expect(read('deploy/kubernetes/config/cxone-data-action.schema.json')).toBe(
    read('schemas/cxone-data-action.schema.json'),
  )
})

test('Headgate takes the config as it is in the Pod', async () => {
  const secrets = ['WEBHOOK_TOKEN', 'CXONE_CLIENT_ID', 'CXONE_CLIENT_SECRET']
  const pod = temporaryDirectory({
    'plugins.config.json': read('deploy/kubernetes/config/plugins.config.json').replaceAll(
      '/run/secrets/headgate',
      './secrets',
    ),
    'cxone-data-action.schema.json': read('deploy/kubernetes/config/cxone-data-action.schema.json'),
    ...Object.fromEntries(secrets.map((name) => [`secrets/${name}`, `value-of-${name}`])),
  })
  const [, { literals }] = yamlOf('deploy/kubernetes/config/kustomization.yaml')[0].configMapGenerator
  const env = Object.fromEntries(literals.map((literal: string) => literal.split('=')))
  const { code, out, err } = await runCommand(
    validateCommand,
    { options: { strict: true } },
    { cwd: pod, env },
  )
  expect([code, err], out).toEqual([0, ''])
})

test('the sidecar is the same container, but for its volumes, its probe of readiness, and the port that it says', () => {
  const { readinessProbe, securityContext, volumeMounts, env, ...same } = inBase
  const {
    securityContext: sidecarContext,
    volumeMounts: sidecarMounts,
    env: sidecarEnv,
    ...sidecar
  } = inSidecar
  expect(sidecar).toEqual(same)
  expect(sidecarMounts.map(({ name, ...mount }: Manifest) => mount)).toEqual(
    volumeMounts.map(({ name, ...mount }: Manifest) => mount),
  )
  expect(sidecarEnv.filter(({ name }: Manifest) => name !== 'HEADGATE_PORT')).toEqual(env)
  const { fsGroup, fsGroupChangePolicy, ...ofPod } = statefulSet.spec.template.spec.securityContext
  expect(sidecarContext).toEqual({ ...ofPod, ...securityContext })
})

test('ports are those that Headgate listens on, and services and policies name them as the container does', () => {
  const ports = [
    { name: 'intake', containerPort: SETTINGS.port.default },
    { name: 'admin', containerPort: SETTINGS.adminPort.default },
  ]
  expect(inBase.ports).toEqual(ports)
  for (const path of ['base', 'sidecar'].map((folder) => `deploy/kubernetes/${folder}/services.yaml`)) {
    const services = yamlOf(path).map(({ spec }) => spec.ports)
    expect(services).toEqual(ports.map(({ name, containerPort: port }) => [{ name, port, targetPort: name }]))
  }
  const [{ spec }] = yamlOf('deploy/kubernetes/base/networkpolicy.yaml')
  expect(spec.ingress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port))).toEqual([
    'intake',
    'admin',
  ])
})

test('what is probed and scraped are paths of the admin listener, which the kubelet can reach', () => {
  const admin = readdirSync('src/admin', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(join('src/admin', name)))
    .join('')
  const [monitor] = yamlOf('deploy/kubernetes/monitoring/servicemonitor.yaml')
  const asked = [
    inBase.livenessProbe.httpGet,
    inBase.readinessProbe.httpGet,
    inSidecar.livenessProbe.httpGet,
    ...monitor.spec.endpoints,
  ]
  expect(asked.map(({ path }) => path)).toEqual(['/health', '/ready', '/health', '/metrics'])
  for (const { path, port } of asked) {
    expect(port).toBe('admin')
    expect(admin).toContain(`'${path}'`)
  }
  expect(inBase.env).toContainEqual({ name: 'HEADGATE_ADMIN_HOST', value: '0.0.0.0' })
  const open = SETTINGS.adminOpen.default.toString().split(',')
  for (const { path } of asked) expect(open).toContain(path.slice(1))
})

test('a Pod has longer to stop than Headgate takes', () => {
  const timeout = milliseconds(
    inBase.env.find(({ name }: Manifest) => name === 'HEADGATE_SHUTDOWN_TIMEOUT').value,
  )
  expect(statefulSet.spec.template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(timeout)
  const kafka = patch.spec.template.spec.containers.find(({ name }: Manifest) => name === 'kafka')
  const sleep = kafka.lifecycle.preStop.sleep.seconds
  expect(sleep * 1000).toBeGreaterThan(timeout)
  const [, broker] = yamlOf('deploy/kubernetes/examples/broker/kafka.yaml')
  expect(broker.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(sleep)
})

test('the Secret of docs/operations.md has every file that Headgate is told of', () => {
  const made = [...read('docs/operations.md').matchAll(/--from-literal=([A-Z_]+)=/g)].map(([, name]) => name)
  const told = [read('deploy/kubernetes/config/plugins.config.json'), ...files.map(read)]
    .flatMap((text) => [...text.matchAll(/\/run\/secrets\/headgate[:/]([A-Z_]+)/g)])
    .map(([, name]) => name)
  expect(made.sort()).toEqual([...new Set(told)].sort())
})

test('there is one instance, and no file of the config is mounted in a way that hides a change', () => {
  expect(statefulSet.spec.replicas).toBe(1)
  for (const { volumeMounts } of [inBase, inSidecar])
    for (const mount of volumeMounts) expect(mount).not.toHaveProperty('subPath')
})
