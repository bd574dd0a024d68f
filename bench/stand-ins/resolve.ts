import type { ResolveHook } from 'node:module'

const REPLACED = /\/ledger\/durable-ledger\.js$/
const standIn = new URL('ledger.js', import.meta.url).href

/** A hook of node's module loader. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context)
  return REPLACED.test(found.url) ? { ...found, url: standIn } : found
}
