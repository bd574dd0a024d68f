// Writes what is made from the code: the editor schema and the error reference. A test fails when they are stale.
import { writeFileSync } from 'node:fs'
import { errorReference } from '../dist/docs/error-reference.js'
import { editorSchema } from '../dist/pipeline/config/editor-schema.js'
import { plugins } from '../dist/plugins/index.js'

const write = (path, text) => writeFileSync(new URL(`../${path}`, import.meta.url), text)

write('schemas/plugins.config.schema.json', `${JSON.stringify(editorSchema(plugins), undefined, 2)}\n`)
write('docs/errors.md', errorReference())
