/**
 * The contract that every plugin is written against, the built-in ones included.
 * A plugin is one exported definition; a pipeline is one source, transforms, one sink and post-commit stages.
 */

export * from './context.js'
export * from './definition.js'
export * from './event.js'
export * from './http.js'
export * from './inbox.js'
export * from './instances.js'
export * from './metrics.js'
export * from './plugin.js'
export * from './post-commit.js'
export * from './record-log.js'
export * from './sink.js'
export * from './source.js'
export * from './topics.js'
export * from './transform.js'
