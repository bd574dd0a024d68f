// Mends node-rdkafka in node_modules before `npm pack` or `npm publish`, which bundle it: `node scripts/patch-kafka-client.mjs`.
import { join } from 'node:path'
import { patchSources } from './setup/kafka-client-patches.mjs'
import { beginProgram, project } from './setup/step.mjs'

beginProgram()
patchSources(join(project, 'node_modules/node-rdkafka'))
