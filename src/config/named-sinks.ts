import { child } from '../lib/json/pointer.js'
import { didYouMean } from './problem.js'
import type { ShapeProblem } from './shape.js'

/** A sink of a pipeline that refers to one in `sinks`. */
export interface SinkReference {
  readonly name: string
  /** Settings of the pipeline, which override those of the named sink. */
  readonly config: { readonly [name: string]: unknown }
}

/** References by pipeline. */
export type SinkReferences = ReadonlyMap<string, SinkReference>

export const sinkPointer = (name: string): string => child('/sinks', name)

/**
 * Replaces each reference to a sink with its declaration in `sinks`, as if each pipeline had a sink of its own. A reference is
 * `"sink": "main"`, or `"sink": { "use": "main", "config": { ... } }` with settings of this pipeline. `config` may have any
 * shape.
 */
export function resolveSinks(
  config: unknown,
  report: (problem: ShapeProblem) => void,
): { readonly config: unknown; readonly references: SinkReferences } {
  const references = new Map<string, SinkReference>()
  if (!isObject(config) || !isObject(config['pipelines'])) return { config, references }
  const sinks = isObject(config['sinks']) ? config['sinks'] : {}
  const pipelines = Object.entries(config['pipelines']).map(([name, pipeline]) => {
    const reference = isObject(pipeline) ? referenceOf(pipeline['sink']) : undefined
    if (reference === undefined) return [name, pipeline]
    const { sink, ...rest } = pipeline as { readonly [key: string]: unknown }
    const { use, config: own, ...others } = reference
    const at = `${child('/pipelines', name)}/sink`
    const shared = Object.hasOwn(sinks, use) ? sinks[use] : undefined
    if (!isObject(shared)) {
      const names = Object.keys(sinks)
      if (!Object.hasOwn(sinks, use))
        report({
          pointer: typeof sink === 'string' ? at : `${at}/use`,
          code: 'HG_CONFIG_VALUE',
          message: `There is no sink "${use}" in "sinks".`,
          expected:
            names.length === 0
              ? 'a sink that "sinks" declares'
              : `one of ${names.map((one) => `"${one}"`).join(', ')}`,
          ...didYouMean(use, names),
        })
      return [name, { ...rest, sink: { plugin: UNKNOWN, config: {} } }]
    }
    references.set(name, { name: use, config: isObject(own) ? own : {} })
    const merged = {
      ...(isObject(shared['config']) ? structuredClone(shared['config']) : {}),
      ...(isObject(own) ? own : {}),
    }
    return [
      name,
      {
        ...rest,
        sink: {
          ...others,
          plugin: shared['plugin'],
          config: isObject(own) || own === undefined ? merged : own,
        },
      },
    ]
  })
  return { config: { ...config, pipelines: Object.fromEntries(pipelines) }, references }
}

/** The plugin of a sink that does not exist: `resolveSinks` has reported that. */
export const UNKNOWN = '?'

function referenceOf(
  sink: unknown,
): { readonly use: string; readonly config?: unknown; readonly [key: string]: unknown } | undefined {
  if (typeof sink === 'string') return { use: sink }
  if (!isObject(sink) || typeof sink['use'] !== 'string' || 'plugin' in sink) return undefined
  return { ...sink, use: sink['use'] }
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
