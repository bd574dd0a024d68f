import { readFileSync } from 'node:fs'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { SETTINGS } from '../../src/process/settings.js'
import { deployFiles, read, yamlOf } from './read-deploy.js'

const files = ['.yaml', '.yml', '.json', '.service', '.example']
  .flatMap(deployFiles)
  .filter((path) => !/\/headgate\.json$|\.rules\.yaml$|prometheusrule\.yaml$/.test(path))

const settings = Object.values(SETTINGS).map(({ env }) => env as string)
const variables = [...read('plugins.config.json').matchAll(/\$\{env:([A-Z_]+)\}/g)].map(([, name]) =>
  String(name),
)

test('every HEADGATE_ variable in deploy/ is a setting', () => {
  const named = files.flatMap((path) => read(path).match(/HEADGATE_[A-Z_]+/g) ?? [])
  expect(named.length).toBeGreaterThan(0)
  for (const name of named) expect(settings).toContain(name)
})

test('every reference in deploy/ is to something that the shipped config reads', () => {
  const references = files.flatMap((path) => [
    ...read(path).matchAll(/\$\{(?:env:|dir:[^}:]+:)?([A-Z][A-Z_]+)(?::\?[^}]*)?\}/g),
  ])
  expect(references.length).toBeGreaterThan(0)
  for (const [, name] of references) expect(variables).toContain(name)
})

test('every variable of the shipped config is set by each way to deploy it', () => {
  const kubernetes =
    read('deploy/kubernetes/config/plugins.config.json') + read('deploy/kubernetes/config/kustomization.yaml')
  const systemd = read('deploy/systemd/headgate.service') + read('deploy/systemd/headgate.env.example')
  const [compose] = yamlOf('deploy/compose.yaml')
  for (const name of variables) {
    expect(kubernetes).toMatch(new RegExp(`:${name}\\}|- ${name}=`))
    expect(systemd).toMatch(new RegExp(`^(LoadCredential=${name}:|${name}=)`, 'm'))
    expect(Object.keys(compose.services.headgate.environment)).toContain(name)
  }
})

test('topics are made with the partitions that the shipped config sends to', () => {
  const { transforms, deadLetter } = parse(read('plugins.config.json')).pipelines['cxone-data-actions']
  const { rules, otherwise } = transforms.find(({ plugin }: { plugin: string }) => plugin === 'route').config
  const targets: { topic: string; partition?: number }[] = [
    ...rules.map(({ to }: { to: { topic: string } }) => to),
    otherwise,
    deadLetter,
  ]
  for (const path of ['deploy/compose.yaml', 'deploy/kubernetes/examples/broker/topics.yaml']) {
    const text = read(path)
    const made = /for topic in (.+)/.exec(text)?.[1]?.split(' ')
    expect(made?.sort()).toEqual(targets.map(({ topic }) => topic).sort())
    const partitions = Number(/--partitions ([0-9]+)/.exec(text)?.[1])
    for (const { partition = 0 } of targets) expect(partitions).toBeGreaterThan(partition)
  }
})

test('the image has the version of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const images = files.flatMap((path) => [...read(path).matchAll(/image: headgate:(.+)|newTag: (.+)/g)])
  expect(images.length).toBeGreaterThan(0)
  for (const [, image, tag] of images) expect(image ?? tag).toBe(version)
})
