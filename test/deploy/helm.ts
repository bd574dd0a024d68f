import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../helpers/context.js'
import { missingProgram } from '../helpers/missing-program.js'
import { type Manifest, outputOf, parseYaml, read } from './read-deploy.js'

export const CHART = 'deploy/helm/headgate'

/** That of test/deploy/install-helm.sh, or the one of the machine. */
const [, version = ''] = /^version=(.+)$/m.exec(read('test/deploy/install-helm.sh')) ?? []
const built = `.cache/bin/helm-${version}`
export const helm = existsSync(built) ? built : 'helm'

/** Why there is no Helm; undefined if there is one. */
export const missingHelm = missingProgram(helm, 'version')

/** The manifests of a release in the namespace headgate, with these changes of the values. */
export function render(changes: object = {}, release = 'headgate', chart = CHART): Manifest[] {
  const values = join(temporaryDirectory({ 'values.json': JSON.stringify(changes) }), 'values.json')
  const args = ['template', release, chart, '--namespace', 'headgate', '--values', values]
  // Helm's own default is a version of long ago unless it is released by its makers.
  return parseYaml(outputOf(helm, [...args, '--kube-version', '1.30.0'])).filter(
    (manifest) => manifest !== null,
  )
}

export const only = (manifests: readonly Manifest[], kind: string, name = 'headgate'): Manifest =>
  manifests.find(({ kind: found, metadata }) => found === kind && metadata.name === name)
