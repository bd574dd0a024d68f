import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'jsonc-parser'

interface PipelineConfig {
  readonly source: { readonly config: object }
  readonly sink: { readonly config: object }
  readonly transforms: readonly { readonly plugin: string; readonly config: { readonly schema?: string } }[]
}

export interface Changes {
  /** Settings of the source. */
  readonly source?: object
  /** The file of another schema. */
  readonly schema?: string
  /** The part of the event that rules look at, and that records have. */
  readonly payload?: string
  /** The topic of an inbox. */
  readonly inbox?: string
}

/** Pipelines so far: two programs with pipelines of the same name on one cluster would take each other for instances. */
let pipelines = 0

/** The config of a file for one program alone, with pipelines of other names, and with these changes to each. */
export function ownConfig(file: string, changes: Changes = {}) {
  const { source: ofSource, payload, inbox } = changes
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const config = join(folder, 'plugins.config.json')
  const { pipelines: before } = parse(readFileSync(file, 'utf8')) as {
    pipelines: { [name: string]: PipelineConfig }
  }
  const changed = Object.values(before).map(({ source, transforms, sink, ...others }) => ({
    source: { ...source, config: { ...source.config, ...ofSource } },
    transforms: transforms.map((stage) => changedTransform(stage, dirname(file), changes)),
    sink: { ...sink, config: { ...sink.config, ...(payload !== undefined && { value: payload }) } },
    ...others,
    ...(inbox !== undefined && { inbox: { topic: inbox } }),
  }))
  const named = Object.fromEntries(changed.map((pipeline) => [`bench-${++pipelines}`, pipeline]))
  writeFileSync(config, JSON.stringify({ pipelines: named }))
  return { config, remove: () => rmSync(folder, { recursive: true }) }
}

function changedTransform(
  stage: PipelineConfig['transforms'][number],
  folder: string,
  { schema, payload }: Changes,
) {
  const { plugin, config } = stage
  if (config.schema !== undefined) {
    const file = schema === undefined ? resolve(folder, config.schema) : resolve(schema)
    return { ...stage, config: { ...config, schema: file } }
  }
  return plugin === 'route' && payload !== undefined ? { ...stage, config: { ...config, payload } } : stage
}
