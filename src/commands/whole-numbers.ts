import type { CommandInput } from './command.js'

/** The smallest and the largest value of an option, by the option's name in the input. */
export interface WholeNumberBounds {
  readonly [option: string]: { readonly flag: string; readonly from: number; readonly to: number }
}

export type WholeNumbers<Bounds> =
  | { readonly ok: true; readonly values: { readonly [Name in keyof Bounds]?: number } }
  | { readonly ok: false; readonly complaints: readonly string[] }

/** Reads options that are whole numbers, with a complaint about each that is none. One that was not given has no value. */
export function readWholeNumbers<const Bounds extends WholeNumberBounds>(
  options: CommandInput['options'],
  bounds: Bounds,
): WholeNumbers<Bounds> {
  const complaints: string[] = []
  const values: { [name: string]: number } = {}
  for (const [name, { flag, from, to }] of Object.entries(bounds)) {
    const text = options[name]
    if (text === undefined) continue
    const value = Number(text)
    if (/^[0-9]+$/.test(String(text)) && value >= from && value <= to) values[name] = value
    else
      complaints.push(
        `${flag} should be a whole number from ${from} to ${to}; it is ${JSON.stringify(text)}.`,
      )
  }
  return complaints.length > 0
    ? { ok: false, complaints }
    : { ok: true, values: values as { readonly [Name in keyof Bounds]?: number } }
}
