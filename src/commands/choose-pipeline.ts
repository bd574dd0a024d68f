import { didYouMean } from '../config/problem.js'
import { printable } from '../lib/terminal/printable.js'

/** The pipeline that is meant: the one that is named, or the only one. Otherwise what to say. `having`: what all of `names` have. */
export function choosePipeline(
  name: string | undefined,
  names: readonly string[],
  having = '',
): { readonly pipeline: string } | { readonly complaint: string } {
  const [only, ...others] = names
  if (name === undefined && only !== undefined && others.length === 0) return { pipeline: only }
  if (names.length === 0) return { complaint: `There is no pipeline${having}.` }
  if (name === undefined) return { complaint: `Name one with --pipeline: ${names.join(', ')}.` }
  if (names.includes(name)) return { pipeline: name }
  const hint = didYouMean(name, names)?.suggestion ?? `There is ${names.join(', ')}.`
  return { complaint: `There is no pipeline "${printable(name)}"${having}. ${hint}` }
}
