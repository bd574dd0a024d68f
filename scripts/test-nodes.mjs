// On every version of Node.js but the one that the other suites run on: the demo of the tree that is deployed, a question about the
// shipped config, and the unit tests. The addon is compiled for each; librdkafka is not. `node scripts/test-nodes.mjs e2e 24` runs
// another suite, on one version alone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { compileAddon, placeAddon } from './setup/kafka-client.mjs'
import { fetchNode, NODE_VERSIONS } from './setup/node-versions.mjs'
import { beginProgram, project, step } from './setup/step.mjs'

const EVENTS = '300'
const RDKAFKA = 'node_modules/node-rdkafka'
/** Their tests are of manifests and pages, in which Node.js has no part. */
const OTHERS = new Set(['deploy', 'docs'])
const FOLDERS = readdirSync(join(project, 'test')).filter((name) => !OTHERS.has(name))
const [SUITE = 'unit', ONLY = ''] = process.argv.slice(2)
const TESTS = [
  'node_modules/vitest/vitest.mjs',
  ...['run', '--project', SUITE, ...FOLDERS.map((name) => `test/${name}/`)],
]
const VERSIONS = NODE_VERSIONS.filter(
  ({ version, abi }) => abi !== process.versions.modules && version.startsWith(ONLY),
)
const NOT_TESTED = new Set(['.git', '.cache', 'build'])

beginProgram()
let passed = 0
let failed = 0
for (const { version, abi } of VERSIONS) {
  const node = await fetchNode(version)
  const addon = await compileAddon({ node, abi })
  const tree = join(project, 'build/nodes', version)
  await step(`Making the tree for Node.js ${version}`, ['node', 'scripts/prune.mjs', tree])
  placeAddon(addon, join(tree, RDKAFKA))
  for (const args of [
    ['plugins', 'kafka'],
    ['demo', '--events', EVENTS],
  ]) {
    const isPassed = await run(`headgate ${args.join(' ')} on Node.js ${version}`, node, [
      join(tree, 'dist/cli.js'),
      ...args,
    ])
    if (isPassed) passed++
    else failed++
  }
  // Their own lines count them.
  const checkout = await checkoutFor(version, addon)
  const isPassed = await run(`the suite ${SUITE} on Node.js ${version}`, node, TESTS, checkout)
  if (!isPassed) process.exitCode = 1
}
console.log(`tests: ${passed} passed, ${failed} failed, 0 skipped`)
if (failed > 0) process.exitCode = 1

/** Runs a program on a Node.js. The output is shown if `cwd` is set. */
async function run(title, node, args, cwd) {
  const child = spawn(node, args, {
    stdio: ['ignore', cwd === undefined ? 'ignore' : 'inherit', 'inherit'],
    ...(cwd !== undefined && { cwd }),
    // Tests start programs by the name of node.
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH']}` },
  })
  const [code] = await once(child, 'exit')
  console.log(code === 0 ? `${title}: passed` : `${title}: FAILED with exit code ${code}`)
  return code === 0
}

/** The checkout as links, but with the addon of a Node.js: another suite may be using its own meanwhile. */
async function checkoutFor(version, addon) {
  const checkout = join(project, 'build/nodes', `${version}-checkout`)
  rmSync(checkout, { recursive: true, force: true })
  mkdirSync(checkout, { recursive: true })
  // Some tests start the programs of the tests.
  const names = [...readdirSync(project).filter((name) => !NOT_TESTED.has(name)), 'build/src']
  await step(`Linking the checkout for Node.js ${version}`, ['cp', '-al', '--parents', ...names, checkout])
  symlinkSync(join(project, '.cache'), join(checkout, '.cache'))
  placeAddon(addon, join(checkout, RDKAFKA))
  return checkout
}
