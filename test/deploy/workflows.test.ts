import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { read } from './read-deploy.js'

const FOLDER = '.github/workflows'
const WORKFLOWS = readdirSync(FOLDER).map((name) => `${FOLDER}/${name}`)

interface Workflow {
  readonly permissions: { readonly [scope: string]: string }
  readonly jobs: {
    readonly [name: string]: {
      readonly permissions?: { readonly [scope: string]: string }
      readonly 'timeout-minutes'?: number
    }
  }
}

test.each(WORKFLOWS)('%s takes actions by the digest of a commit, with the version beside it', (path) => {
  const uses = read(path).match(/uses: .*/g) ?? []
  expect(uses).not.toEqual([])
  expect(uses.filter((line) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
})

test.each(WORKFLOWS)('%s may read the code; a job that may do more says so', (path) => {
  expect((parse(read(path)) as Workflow).permissions).toEqual({ contents: 'read' })
})

test('only the last job of a release may write to the repository, and none may everything', () => {
  const { jobs } = parse(read(`${FOLDER}/release.yml`)) as Workflow
  const writing = Object.entries(jobs).filter(([, { permissions }]) => permissions?.['contents'] === 'write')
  expect(writing.map(([name]) => name)).toEqual(['release'])
})

test('CI runs every version of Node.js that scripts/setup/node-versions.mjs knows, and the oldest that works', () => {
  const known = [...read('scripts/setup/node-versions.mjs').matchAll(/version: '(\d+)\./g)].map(
    ([, major]) => major,
  )
  const run = [...read(`${FOLDER}/ci.yml`).matchAll(/node: (\d+)$/gm)].map(([, major]) => major)
  expect(run.toSorted()).toEqual(['20', ...known].toSorted())
})

test('CI has the Helm that the unit tests need wherever it runs them', () => {
  const suites = [...read(`${FOLDER}/ci.yml`).matchAll(/suites: (.*)$/gm)].map(([, names = '']) =>
    names.replaceAll('"', '').split(' '),
  )
  expect(suites.filter((names) => names.includes('unit') && names[0] !== 'helm')).toEqual([])
  expect(suites.flat()).toContain('unit')
})

test('every job ends by itself within two hours, and a release has no pre-releases', () => {
  for (const path of WORKFLOWS) {
    const { jobs } = parse(read(path)) as Workflow
    for (const [name, job] of Object.entries(jobs))
      expect(job['timeout-minutes'], `${path}: ${name}`).toBeLessThanOrEqual(120)
  }
  expect(parse(read(`${FOLDER}/release.yml`)).on.push.tags).toEqual(['v[0-9]+.[0-9]+.[0-9]+'])
})

test('a release patches the Kafka client that the npm package brings, before it is published', () => {
  const release = read(`${FOLDER}/release.yml`)
  const patched = release.indexOf('run: node scripts/patch-kafka-client.mjs')
  expect(patched).toBeGreaterThan(0)
  expect(release.indexOf('npm publish')).toBeGreaterThan(patched)
})

test('the image and the packages bring the same line of Node.js', () => {
  const [, packed] = /PACKED_NODE = \{ version: '(\d+)\./.exec(read('scripts/setup/node-versions.mjs')) ?? []
  expect(read('Dockerfile')).toMatch(
    new RegExp(`^FROM node:${packed}\\.\\d+\\.\\d+-bookworm-slim@sha256:[0-9a-f]{64} AS node$`, 'm'),
  )
})
