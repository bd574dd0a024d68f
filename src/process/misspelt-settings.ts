import { distance } from 'fastest-levenshtein'
import { SETTINGS } from './settings.js'

const FARTHEST = 2

/**
 * Variables that are named like a setting but for a slip, while that setting has its default: a sentence each. Others that
 * begin like ours can be anything, such as a secret that the config refers to.
 */
export function misspeltSettings(environment: Readonly<{ [name: string]: string | undefined }>): string[] {
  const names: readonly string[] = Object.values(SETTINGS).map(({ env }) => env)
  const unset = names.filter((name) => environment[name] === undefined)
  const others = Object.keys(environment).filter(
    (name) => name.toUpperCase().startsWith('HEADGATE_') && !names.includes(name),
  )
  return others.flatMap((name) => {
    const meant = unset
      .map((env) => ({ env, far: distance(env, name.toUpperCase()) }))
      .sort((a, b) => a.far - b.far)[0]
    return meant === undefined || meant.far > FARTHEST
      ? []
      : [`The variable ${name} has no effect: there is no such setting. Did you mean ${meant.env}?`]
  })
}
