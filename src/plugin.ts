/**
 * The contract that every plugin is written against, the built-in ones included.
 * A plugin is one exported definition; a pipeline is one source, transforms, one sink and post-commit stages.
 */

export * from './contract/checks.js'
export * from './contract/definition.js'
export * from './contract/event.js'
export * from './contract/http.js'
export * from './contract/post-commit.js'
export * from './contract/probe.js'
export * from './contract/record-log.js'
export * from './contract/sink.js'
export * from './contract/source.js'
export * from './contract/stage.js'
export * from './contract/surroundings.js'
export * from './contract/topics.js'
export * from './contract/transform.js'
export * from './contract/variants.js'
