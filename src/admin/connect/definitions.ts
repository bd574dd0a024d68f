import type { Schema } from '../../config/setting-traits.js'
import { typeOf } from '../../config/setting-traits.js'

/** A setting as Kafka Connect describes it. */
export interface SettingDefinition {
  readonly name: string
  readonly type: 'BOOLEAN' | 'LONG' | 'DOUBLE' | 'PASSWORD' | 'STRING'
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: 'HIGH' | 'MEDIUM'
  readonly documentation: string
  readonly group: string
  readonly order: number
  readonly width: 'NONE'
  readonly display_name: string
  readonly dependents: readonly []
}

/** The settings of a schema. Lists and objects are texts of JSON: Kafka Connect knows neither. */
export function definitionsOf(schema: Schema, group: string): SettingDefinition[] {
  return Object.entries(schema.properties ?? {}).map(([name, setting], index) => {
    const required = (schema.required?.includes(name) ?? false) && setting.default === undefined
    return {
      name,
      type: connectType(setting),
      required,
      default_value: setting.default === undefined ? null : textOf(setting.default),
      importance: required ? 'HIGH' : 'MEDIUM',
      documentation: [setting.description, expectedOf(setting)]
        .filter((part) => part !== undefined)
        .join(' '),
      group,
      order: index + 1,
      width: 'NONE',
      display_name: name,
      dependents: [],
    }
  })
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function connectType(schema: Schema & { readonly secret?: boolean }): SettingDefinition['type'] {
  if (schema.secret === true) return 'PASSWORD'
  if (schema.type === 'boolean') return 'BOOLEAN'
  if (schema.type === 'integer') return 'LONG'
  return schema.type === 'number' ? 'DOUBLE' : 'STRING'
}

function expectedOf(schema: Schema): string | undefined {
  if (schema.expected !== undefined) return `Written as ${schema.expected}.`
  return connectType(schema) === 'STRING' && schema.type !== 'string' ? `JSON: ${typeOf(schema)}.` : undefined
}
