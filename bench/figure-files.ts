import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Comparison } from './compare.js'
import type { OwedFigures } from './owed.js'
import { type AllFigures, withFigures } from './performance-page.js'
import type { Plots } from './plots.js'
import type { SizeFigures } from './sizes.js'
import type { SoakFigures } from './soak.js'

/** What a run finds. */
export type Figures = Comparison | SizeFigures | SoakFigures | OwedFigures

/** Writes what a run has found into a folder, for people and for programs. */
export function writeFigures(folder: string, name: string, figures: Figures, plots: Plots): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures, undefined, 2)}\n`)
  for (const [file, svg] of Object.entries(plots)) writeFileSync(join(folder, file), svg)
  console.log(`\nwritten to ${folder}/`)
}

export const readFigures = (folder: string): AllFigures => ({
  full: read<Comparison>(join(folder, 'full.json')),
  sizes: read<SizeFigures>(join(folder, 'sizes.json')),
  soak: read<SoakFigures>(join(folder, 'soak.json')),
  owed: read<OwedFigures>(join(folder, 'owed.json')),
})

export const PAGE = 'docs/performance.md'

/** Puts the figures of a folder into the page. */
export const writePage = (folder: string): void =>
  writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), readFigures(folder)))

const read = <Found extends Figures>(file: string): Found | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Found) : undefined
