import type { CheckedConfig } from '../config/read.js'
import type { Rehearsal } from '../dry-run/dry-run.js'
import type { Known } from './names.js'

/** The names that scenarios can use with a config. */
export const knownNames = ({ file, pipelines }: CheckedConfig, rehearsal: Rehearsal): Known => ({
  file,
  pipelines: pipelines.map(({ name, transforms, sink }) => ({
    name,
    rules: rehearsal.rules(name),
    topics: rehearsal.topics(name),
    stages: [
      ...transforms.map(({ definition }, index) => `transform.${index}.${definition.name}`),
      `sink.${sink.definition.name}`,
    ],
  })),
})
