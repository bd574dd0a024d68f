import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'jsonc-parser'

interface PipelineConfig {
  readonly source: { readonly config: object }
  readonly transforms: readonly { readonly config: { readonly schema?: string } }[]
}

interface Changes {
  /** Of the source. */
  readonly verify?: object
  /** The topic of an inbox. */
  readonly inbox?: string
}

/** Pipelines so far: two programs with pipelines of the same name on one cluster would take each other for instances. */
let pipelines = 0

/** The config of a file for one program alone, with pipelines of other names, and with these changes to each. */
export function ownConfig(file: string, { verify, inbox }: Changes = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const config = join(folder, 'plugins.config.json')
  const { pipelines: before } = parse(readFileSync(file, 'utf8')) as {
    pipelines: { [name: string]: PipelineConfig }
  }
  const changed = Object.values(before).map(({ source, transforms, ...others }) => ({
    source: { ...source, config: { ...source.config, ...(verify !== undefined && { verify }) } },
    transforms: transforms.map((stage) => withAbsolutePath(stage, dirname(file))),
    ...others,
    ...(inbox !== undefined && { inbox: { topic: inbox } }),
  }))
  const named = Object.fromEntries(changed.map((pipeline) => [`bench-${++pipelines}`, pipeline]))
  writeFileSync(config, JSON.stringify({ pipelines: named }))
  return { config, remove: () => rmSync(folder, { recursive: true }) }
}

const withAbsolutePath = (stage: PipelineConfig['transforms'][number], folder: string) =>
  stage.config.schema === undefined
    ? stage
    : { ...stage, config: { ...stage.config, schema: resolve(folder, stage.config.schema) } }
