import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../helpers/context.js'
import { CHART, missingHelm, only, render } from './helm.js'
import type { Manifest } from './read-deploy.js'

/** The manifests, and the text that Helm prints after an installation. */
function install(changes: object = {}, release = 'headgate') {
  // `helm template` leaves that text out: in a copy of the chart, it is a value in a template like any other.
  const chart = temporaryDirectory()
  cpSync(CHART, chart, { recursive: true })
  const file = join(chart, 'templates/NOTES.txt')
  const text = readFileSync(file, 'utf8')
  rmSync(file)
  writeFileSync(
    join(chart, 'templates/notes.yaml'),
    `{{ define "notes" }}${text}{{ end }}kind: Notes\nmetadata: {name: headgate}\ntext: {{ include "notes" . | quote }}\n`,
  )
  const manifests = render(changes, release, chart)
  const notes: string = only(manifests, 'Notes').text
  expect(notes).not.toContain('<no value>')
  return { notes, manifests }
}

/** The part of each command behind these words. */
const behind = (notes: string, words: string): string[] =>
  [...notes.matchAll(new RegExp(`${words} ([^\\s"]+)`, 'g'))].map(([, found = '']) => found)

const named = (manifests: readonly Manifest[]) =>
  manifests.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)

describe.skipIf(missingHelm !== undefined)(missingHelm ?? 'the notes after an installation', () => {
  test('name the version and each key of the Secret that the Pod reads, once', () => {
    const { notes, manifests } = install({ existingSecret: 'webhooks' })
    expect(notes).toMatch(/^Headgate \d+\.\d+\.\d+ is installed as headgate in the namespace headgate\./)
    expect(behind(notes, 'create secret generic')).toEqual(['webhooks'])
    const read = JSON.stringify(manifests).matchAll(/\/run\/secrets\/headgate[/:]([A-Z_]+)/g)
    const keys = new Set([...read].map(([, key]) => key))
    expect([...notes.matchAll(/--from-literal=([A-Z_]+)=/g)].map(([, key]) => key).toSorted()).toEqual(
      [...keys].toSorted(),
    )
    expect(only(manifests, 'StatefulSet').spec.template.spec.volumes).toContainEqual(
      expect.objectContaining({ secret: expect.objectContaining({ secretName: 'webhooks' }) }),
    )
  })

  test.each([
    ['the one Pod', {}, 'orders-headgate-0', 'statefulset/orders-headgate'],
    [
      'any of several instances',
      { instances: { enabled: true } },
      'deployment/orders-headgate',
      'deployment/orders-headgate',
    ],
  ])('lead to the admin port of %s', (_title, changes, target, owner) => {
    const { notes, manifests } = install(changes, 'orders')
    expect(behind(notes, 'port-forward --namespace headgate')).toEqual([target])
    expect(named(manifests)).toContain(owner)
    expect(notes).toContain(`${target} 8083\n  curl -s http://127.0.0.1:8083/ready`)
    expect(notes).not.toContain('patch')
  })

  test('patch the broker with the ConfigMap of a sidecar', () => {
    const { notes, manifests } = install({ sidecar: { enabled: true, statefulSet: 'broker' } }, 'orders')
    const [name = ''] = behind(notes, 'get configmap')
    expect(only(manifests, 'ConfigMap', name).data).toHaveProperty(['patch.yaml'])
    expect(notes).toContain(`${name} --namespace headgate -o jsonpath='{.data.patch\\.yaml}' > patch.yaml`)
    expect(behind(notes, 'patch statefulset')).toEqual(['broker'])
    expect(notes).not.toContain('port-forward')
  })
})
