import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { CHART, helm, missingHelm, only, render } from './helm.js'
import { faults, faultsOf } from './kubernetes-schemas.js'
import { type Manifest, outputOf, parseYaml, read, yamlOf } from './read-deploy.js'

const [values] = yamlOf(join(CHART, 'values.yaml'))
const schema = JSON.parse(read(join(CHART, 'values.schema.json')))
const [chart] = yamlOf(join(CHART, 'Chart.yaml'))

test('the chart and its image have the version of the package', () => {
  const { version } = JSON.parse(read('package.json'))
  expect([chart.version, chart.appVersion]).toEqual([version, version])
})

describe('the schema of the values', () => {
  const check = new Ajv({ allErrors: true, strict: false }).compile(schema)

  test('takes the defaults, and knows no others', () => {
    expect(check(values), JSON.stringify(check.errors)).toBe(true)
    const compare = (value: Manifest, part: Manifest, path: string): void => {
      const names = Object.keys(part?.properties ?? {}).filter(
        (name) => name !== 'global' && name !== 'claims',
      )
      for (const name of names) {
        expect(Object.keys(value), path).toContain(name)
        compare(value[name], part.properties[name], `${path}.${name}`)
      }
    }
    compare(values, schema, 'values')
  })

  test.each([
    { wrong: { networkpolicy: {} }, because: 'a name that is not a value' },
    { wrong: { networkPolicy: { egressPorts: { kafka: [70_000] } } }, because: 'a port that is none' },
    { wrong: { settings: { HEADGATE_ADMIN_PORT: 9000 } }, because: 'a setting that the templates rely on' },
    { wrong: { settings: { LOG_LEVEL: 'info' } }, because: 'a variable that is no setting' },
    {
      wrong: { settings: { HEADGATE_ADMIN_TLS_CLIENT_CA: '/certificates/ca.pem' } },
      because: 'client certificates, of which a kubelet has none',
    },
    {
      wrong: { httpRoute: { enabled: true, parentRefs: [] } },
      because: 'a route that belongs to no Gateway',
    },
    { wrong: { replicas: 2 }, because: 'a second replica of one instance' },
    { wrong: { instances: { enabled: true, replicas: 0 } }, because: 'no instance' },
    { wrong: { instances: { enabled: true, autoscaling: { by: 'memory' } } }, because: 'another autoscaler' },
    { wrong: { instances: { autoscaling: { by: 'cpu' } } }, because: 'an autoscaler of one instance' },
    {
      wrong: { instances: { enabled: true, autoscaling: { by: 'lag', lag: { inboxes: [] } } } },
      because: 'an autoscaler that looks at no inbox',
    },
    {
      wrong: { instances: { enabled: true }, sidecar: { enabled: true } },
      because: 'a Deployment besides a sidecar',
    },
  ])('refuses $because', ({ wrong }) => {
    // As Helm checks them: with the defaults.
    expect(check(merged(values, wrong))).toBe(false)
  })

  test('takes several instances with either autoscaler', () => {
    for (const autoscaling of [{ by: '' }, { by: 'cpu' }, BY_LAG])
      expect(check(merged(values, { instances: { enabled: true, autoscaling } })), autoscaling.by).toBe(true)
  })
})

const BY_LAG = {
  by: 'lag',
  lag: { inboxes: [{ pipeline: 'cxone-data-actions', topic: 'cxone.data.actions.inbox' }] },
}

function merged(base: Manifest, changes: Manifest): Manifest {
  if (!isMap(base) || !isMap(changes)) return changes
  const names = [...new Set([...Object.keys(base), ...Object.keys(changes)])]
  return Object.fromEntries(
    names.map((name) => [name, name in changes ? merged(base[name], changes[name]) : base[name]]),
  )
}

const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

test('the files of the chart are those of kustomize and of monitoring', () => {
  for (const name of ['plugins.config.json', 'cxone-data-action.schema.json'])
    expect(read(join(CHART, 'files/config', name))).toBe(read(join('deploy/kubernetes/config', name)))
  expect(read(join(CHART, 'files/monitoring/headgate.json'))).toBe(read('deploy/grafana/headgate.json'))
  expect(read(join(CHART, 'files/monitoring/headgate.rules.yaml'))).toBe(
    read('deploy/prometheus/headgate.rules.yaml'),
  )
})

describe.skipIf(missingHelm !== undefined)(missingHelm ?? 'rendered by Helm', () => {
  const versionsOf = (manifests: readonly Manifest[]) =>
    [...new Set(manifests.map(({ apiVersion }) => apiVersion.split('/')[0]))].toSorted()

  const EVERYTHING = {
    image: { digest: `sha256:${'0'.repeat(64)}`, pullSecrets: [{ name: 'registry' }] },
    environment: { LIMIT: 1_000_000 },
    settings: { HEADGATE_WORKERS: 2, HEADGATE_CONFIG_WRITABLE: true },
    persistence: { storageClassName: 'fast' },
    service: { type: 'LoadBalancer', annotations: { 'example.com/internal': 'true' } },
    ingress: { enabled: true, className: 'nginx', tlsSecret: 'webhooks-tls' },
    httpRoute: { enabled: true, parentRefs: [{ name: 'public', namespace: 'gateways' }] },
    networkPolicy: {
      senders: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }],
      extraEgress: [{ ports: [{ port: 8443, protocol: 'TCP' }] }],
    },
    monitoring: {
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      prometheusRule: { enabled: true },
      dashboard: { enabled: true },
    },
    podLabels: { team: 'integration' },
    podAnnotations: { 'example.com/owner': 'integration' },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'kafka', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'high',
    extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/certificates/ca.pem' }],
    extraVolumes: [{ name: 'certificates', secret: { secretName: 'certificates' } }],
    extraVolumeMounts: [{ name: 'certificates', mountPath: '/certificates', readOnly: true }],
  }

  test('Helm finds no fault with it', () => {
    expect(outputOf(helm, ['lint', '--strict', CHART])).toContain('1 chart(s) linted, 0 chart(s) failed')
  })

  test.each([
    ['the defaults', {}],
    ['every option', EVERYTHING],
    ['a sidecar', { sidecar: { enabled: true } }],
    ['several instances', { instances: { enabled: true } }],
    ['several instances by CPU', { instances: { enabled: true, autoscaling: { by: 'cpu' } } }],
    ['several instances by lag', { instances: { enabled: true, autoscaling: BY_LAG } }],
    [
      'no volume, and an account and a ConfigMap that exist',
      {
        persistence: { enabled: false },
        serviceAccount: { create: false, name: 'mine' },
        config: { existingConfigMap: 'mine' },
        networkPolicy: { enabled: false },
        podDisruptionBudget: { enabled: false },
      },
    ],
  ])('the manifests with %s are valid by the published schemas', (_title, changes) => {
    const manifests = render(changes)
    expect(manifests.length).toBeGreaterThan(3)
    for (const manifest of manifests) {
      expect(faultsOf(manifest), JSON.stringify(manifest.metadata)).toEqual([])
      expect(manifest.metadata.namespace).toBe('headgate')
    }
  })

  test('a plain cluster has every kind of the defaults', () => {
    expect(versionsOf(render())).toEqual(['apps', 'networking.k8s.io', 'policy', 'v1'])
    expect(versionsOf(render(EVERYTHING))).toEqual(
      [
        'apps',
        'gateway.networking.k8s.io',
        'monitoring.coreos.com',
        'networking.k8s.io',
        'policy',
        'v1',
      ].toSorted(),
    )
  })

  describe('by default, as with kustomize', () => {
    const INSTANCE = 'app.kubernetes.io/instance'
    /** Without the label of the release, which kustomize does not have, and what Kubernetes fills in itself. */
    const comparable = (value: Manifest): Manifest =>
      JSON.parse(JSON.stringify(value), (key, inner) => {
        if (key === INSTANCE || (key === 'type' && inner === 'ClusterIP')) return undefined
        return inner
      })

    test.each([
      ['Service', 'services.yaml', 'headgate'],
      ['Service', 'services.yaml', 'headgate-admin'],
      ['PodDisruptionBudget', 'poddisruptionbudget.yaml', 'headgate'],
      ['NetworkPolicy', 'networkpolicy.yaml', 'headgate'],
      ['StatefulSet', 'statefulset.yaml', 'headgate'],
    ])('%s of %s: %s', (kind, file, name) => {
      const rendered = only(render(), kind, name)
      const base = only(yamlOf(join('deploy/kubernetes/base', file)), kind, name)
      const spec = comparable(rendered.spec)
      // A rollout for another environment; kustomize has none, since the hash in the name of the ConfigMap does it.
      if (kind === 'StatefulSet') delete spec.template.metadata.annotations
      expect(spec).toEqual(comparable(base.spec))
    })

    test('the ServiceAccount', () => {
      const [base] = yamlOf('deploy/kubernetes/base/serviceaccount.yaml')
      expect(only(render(), 'ServiceAccount').automountServiceAccountToken).toBe(
        base.automountServiceAccountToken,
      )
    })

    test('the ConfigMaps', () => {
      const manifests = render()
      const { data } = only(manifests, 'ConfigMap', 'headgate-config')
      for (const name of ['plugins.config.json', 'cxone-data-action.schema.json'])
        expect(data[name].trim()).toBe(read(join('deploy/kubernetes/config', name)).trim())
      const [, { literals }] = yamlOf('deploy/kubernetes/config/kustomization.yaml')[0].configMapGenerator
      expect(only(manifests, 'ConfigMap', 'headgate-environment').data).toEqual(
        Object.fromEntries(literals.map((literal: string) => literal.split('='))),
      )
    })

    test('the patch of a sidecar, and the Services that lead to it', () => {
      const manifests = render({ sidecar: { enabled: true } })
      const [patch] = parseYaml(only(manifests, 'ConfigMap', 'headgate-sidecar').data['patch.yaml'])
      const [base] = yamlOf('deploy/kubernetes/sidecar/statefulset-patch.yaml')
      expect(patch.spec).toEqual(base.spec)
      for (const container of patch.spec.template.spec.containers)
        expect(faults(container, '#/$defs/io.k8s.api.core.v1.Container')).toEqual([])
      for (const name of ['headgate', 'headgate-admin'])
        expect(comparable(only(manifests, 'Service', name).spec)).toEqual(
          only(yamlOf('deploy/kubernetes/sidecar/services.yaml'), 'Service', name).spec,
        )
      expect(manifests.map(({ kind }) => kind)).not.toContain('StatefulSet')
    })

    test('monitoring, as its component', () => {
      const manifests = render(EVERYTHING)
      const [rule] = yamlOf('deploy/kubernetes/monitoring/prometheusrule.yaml')
      expect(only(manifests, 'PrometheusRule').spec).toEqual(rule.spec)
      const [monitor] = yamlOf('deploy/kubernetes/monitoring/servicemonitor.yaml')
      expect(comparable(only(manifests, 'ServiceMonitor').spec)).toEqual(monitor.spec)
      const { data, metadata } = only(manifests, 'ConfigMap', 'headgate-dashboard')
      expect(JSON.parse(data['headgate.json'])).toEqual(JSON.parse(read('deploy/grafana/headgate.json')))
      expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' })
    })

    test('the Ingress, as its example', () => {
      const [example] = yamlOf('deploy/kubernetes/examples/ingress/ingress.yaml')
      const { spec, metadata } = only(render(EVERYTHING), 'Ingress')
      expect(spec).toEqual(example.spec)
      expect(metadata.annotations).toEqual(example.metadata.annotations)
    })
  })

  describe('several instances, as with kustomize', () => {
    const instances = (autoscaling: object = {}, more: object = {}) =>
      render({ instances: { enabled: true, autoscaling, ...more } })
    const ofRelease = (labels: Manifest): Manifest => ({
      ...labels,
      'app.kubernetes.io/instance': 'headgate',
    })

    test('the Deployment', () => {
      const [base] = yamlOf('deploy/kubernetes/instances/deployment.yaml')
      const expected = structuredClone(base.spec)
      expected.selector.matchLabels = ofRelease(expected.selector.matchLabels)
      expected.template.metadata.labels = ofRelease(expected.template.metadata.labels)
      const [spread] = expected.template.spec.topologySpreadConstraints
      spread.labelSelector.matchLabels = ofRelease(spread.labelSelector.matchLabels)
      const manifests = instances()
      const { spec } = only(manifests, 'Deployment')
      // A rollout for another environment; kustomize has none, since the hash in the name of the ConfigMap does it.
      delete spec.template.metadata.annotations
      expect(spec).toEqual(expected)
      expect(manifests.map(({ kind }) => kind)).not.toContain('StatefulSet')
      expect(only(manifests, 'PodDisruptionBudget').spec.selector).toEqual(spec.selector)
      expect(only(manifests, 'Service').spec.publishNotReadyAddresses).toBe(false)
      expect(only(manifests, 'Service', 'headgate-admin').spec.publishNotReadyAddresses).toBe(true)
    })

    test('an autoscaler by CPU, or by lag, and it alone decides their number', () => {
      const examples = 'deploy/kubernetes/examples'
      const [byCpu] = yamlOf(join(examples, 'instances/horizontalpodautoscaler.yaml'))
      const cpu = instances({ by: 'cpu' })
      expect(only(cpu, 'HorizontalPodAutoscaler').spec).toEqual(byCpu.spec)
      const [byLag] = yamlOf(join(examples, 'keda/scaledobject.yaml'))
      const [{ metadata }] = byLag.spec.triggers
      const lag = instances({
        ...BY_LAG,
        lag: { ...BY_LAG.lag, bootstrapServers: metadata.bootstrapServers },
      })
      expect(only(lag, 'ScaledObject').spec).toEqual(byLag.spec)
      for (const manifests of [cpu, lag])
        expect(only(manifests, 'Deployment').spec).not.toHaveProperty('replicas')
      expect(only(instances(), 'HorizontalPodAutoscaler')).toBeUndefined()
    })

    test('the values of docs/scaling.md', () => {
      const [, text = ''] = /```yaml\n(instances:[\s\S]*?)```/.exec(read('docs/scaling.md')) ?? []
      const manifests = render(parseYaml(text)[0])
      for (const manifest of manifests) expect(faultsOf(manifest)).toEqual([])
      expect(only(manifests, 'ScaledObject')).toBeDefined()
    })

    test('KEDA looks at each inbox, with the credentials that it is given', () => {
      const inboxes = [
        { pipeline: 'orders', topic: 'orders.inbox' },
        { pipeline: 'returns', topic: 'returns.inbox' },
      ]
      const lag = { inboxes, triggerAuthentication: 'kafka', metadata: { sasl: 'scram_sha512' } }
      const { triggers } = only(instances({ by: 'lag', lag }), 'ScaledObject').spec
      expect(triggers.map(({ metadata }: Manifest) => metadata.consumerGroup)).toEqual([
        'headgate.orders',
        'headgate.returns',
      ])
      for (const { metadata, authenticationRef } of triggers) {
        expect(metadata).toMatchObject({ bootstrapServers: 'kafka:9092', sasl: 'scram_sha512' })
        expect(authenticationRef).toEqual({ name: 'kafka' })
      }
    })

    test('their Pods are spread over what the values name', () => {
      const spread = { over: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'] }
      const { spec } = only(instances({}, { replicas: 5, spread }), 'Deployment')
      expect(spec.replicas).toBe(5)
      const { topologySpreadConstraints: spreads } = spec.template.spec
      expect(spreads.map(({ topologyKey }: Manifest) => topologyKey)).toEqual(spread.over)
      for (const { labelSelector } of spreads) expect(labelSelector).toEqual(spec.selector)
    })

    test('fewer Pods at most than at least are refused', () => {
      expect(() => instances({ by: 'cpu', minReplicas: 4, maxReplicas: 3 })).toThrow(
        /maxReplicas is 3, which is less than minReplicas: 4/,
      )
    })
  })

  test('a HTTPRoute is that of the example', () => {
    const [example] = yamlOf('deploy/kubernetes/examples/gateway/httproute.yaml')
    expect(only(render(EVERYTHING), 'HTTPRoute').spec).toEqual(example.spec)
  })

  test('each option is where it belongs', () => {
    const manifests = render(EVERYTHING)
    const { template } = only(manifests, 'StatefulSet').spec
    const [container] = template.spec.containers
    expect(container.image).toBe(`headgate@sha256:${'0'.repeat(64)}`)
    expect(container.env).toEqual(
      expect.arrayContaining([
        { name: 'HEADGATE_WORKERS', value: '2' },
        { name: 'HEADGATE_CONFIG_WRITABLE', value: 'true' },
        EVERYTHING.extraEnv[0],
      ]),
    )
    expect(only(manifests, 'ConfigMap', 'headgate-environment').data.LIMIT).toBe('1000000')
    expect(container.volumeMounts).toContainEqual(EVERYTHING.extraVolumeMounts[0])
    expect(template.spec.volumes).toContainEqual(EVERYTHING.extraVolumes[0])
    expect(template.metadata.labels).toMatchObject(EVERYTHING.podLabels)
    const { ingress, egress } = only(manifests, 'NetworkPolicy').spec
    expect(ingress[0].from).toEqual(EVERYTHING.networkPolicy.senders)
    expect(egress).toContainEqual(EVERYTHING.networkPolicy.extraEgress[0])
  })

  test('egress goes to the ports of the values, and to no others', () => {
    const { spec } = only(
      render({ networkPolicy: { egressPorts: { kafka: [19_092], https: [], dns: [53] } } }),
      'NetworkPolicy',
    )
    const ports = spec.egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port))
    expect(ports).toEqual([53, 53, 19_092])
  })

  test('if the admin port has a certificate, the kubelet and Prometheus ask by HTTPS', () => {
    const tlsConfig = { ca: { configMap: { name: 'ca', key: 'ca.pem' } }, serverName: 'headgate' }
    const manifests = render({
      settings: { HEADGATE_ADMIN_TLS_CERT: '/certificates/tls.crt' },
      monitoring: { serviceMonitor: { enabled: true, tlsConfig } },
    })
    for (const manifest of manifests) expect(faultsOf(manifest)).toEqual([])
    const [container] = only(manifests, 'StatefulSet').spec.template.spec.containers
    expect(container.livenessProbe.httpGet.scheme).toBe('HTTPS')
    expect(container.readinessProbe.httpGet.scheme).toBe('HTTPS')
    expect(only(manifests, 'ServiceMonitor').spec.endpoints[0]).toMatchObject({ scheme: 'https', tlsConfig })
  })

  test('two releases in one namespace share no name, and select their own Pods', () => {
    const [one, other] = ['orders', 'returns'].map((release) => render({}, release))
    const names = (manifests: readonly Manifest[] = []) =>
      manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    expect(names(one).filter((name) => names(other).includes(name))).toEqual([])
    expect(only(one ?? [], 'Service', 'orders-headgate').spec.selector).toMatchObject({
      'app.kubernetes.io/instance': 'orders',
    })
  })

  test('files of the values replace those of the chart, and are added to them', () => {
    const files = { 'plugins.config.json': '{ "pipelines": {} }\n', 'order.schema.json': '{}' }
    const { data } = only(render({ config: { files } }), 'ConfigMap', 'headgate-config')
    expect(data['plugins.config.json']).toContain('"pipelines": {}')
    expect(Object.keys(data).toSorted()).toEqual([
      'cxone-data-action.schema.json',
      'order.schema.json',
      'plugins.config.json',
    ])
  })

  test('a change of the environment is a rollout, a change of the config is none', () => {
    const templateOf = (changes: object) => only(render(changes), 'StatefulSet').spec.template
    expect(templateOf({ environment: { KAFKA_BROKERS: 'other:9092' } })).not.toEqual(templateOf({}))
    expect(templateOf({ config: { files: { 'plugins.config.json': '{}' } } })).toEqual(templateOf({}))
  })

  test.each(['docs/operations.md', join(CHART, 'README.md')])(
    'the command of %s gives valid manifests',
    (page) => {
      const [command = ''] = /^helm install [\s\S]*?(?=\n```)/m.exec(read(page)) ?? []
      const rendered = command.replace('helm install', `${helm} template --kube-version 1.30.0`)
      const manifests = parseYaml(outputOf('sh', ['-c', rendered]))
      for (const manifest of manifests) expect(faultsOf(manifest)).toEqual([])
      const { data } = only(manifests, 'ConfigMap', 'headgate-config')
      expect(data['plugins.config.json'].trim()).toBe(read('plugins.config.json').trim())
      expect(only(manifests, 'ConfigMap', 'headgate-environment').data.KAFKA_BROKERS).toMatch(
        /^kafka.*:9092$/,
      )
    },
  )

  test('wrong values are refused before anything is rendered', () => {
    expect(() => render({ networkPolicy: { egressPort: {} } })).toThrow(/egressPort/)
  })
})
