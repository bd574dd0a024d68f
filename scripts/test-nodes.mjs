// Runs the tree that is deployed on every version of Node.js but the one that the other suites run on: its demo, and a question about
// the shipped config. The addon is compiled for each; librdkafka is not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { compileAddon, placeAddon } from './setup/kafka-client.mjs'
import { fetchNode, NODE_VERSIONS } from './setup/node-versions.mjs'
import { beginProgram, project, step } from './setup/step.mjs'

const EVENTS = '300'

beginProgram()
let passed = 0
let failed = 0
for (const { version, abi } of NODE_VERSIONS.filter(({ abi }) => abi !== process.versions.modules)) {
  const node = await fetchNode(version)
  const tree = join(project, 'build/nodes', version)
  const addon = await compileAddon({ node, abi })
  await step(`Making the tree for Node.js ${version}`, ['node', 'scripts/prune.mjs', tree])
  placeAddon(addon, join(tree, 'node_modules/node-rdkafka'))
  for (const args of [
    ['plugins', 'kafka'],
    ['demo', '--events', EVENTS],
  ]) {
    const title = `headgate ${args.join(' ')} on Node.js ${version}`
    const child = spawn(node, [join(tree, 'dist/cli.js'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [code] = await once(child, 'exit')
    console.log(code === 0 ? `${title}: passed` : `${title}: FAILED with exit code ${code}`)
    if (code === 0) passed++
    else failed++
  }
}
console.log(`tests: ${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 ? 0 : 1
