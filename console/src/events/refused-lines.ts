import type { RefusedLine } from '../../../src/tap/line.js'

/** As Headgate keeps them: a flood on one path does not push out the requests of others. */
const MOST_OF_PIPELINE = 50

export interface RefusedFilter {
  /** Empty for any, as the code. */
  readonly pipeline: string
  readonly code: string
  readonly text: string
}

export const ANY: RefusedFilter = { pipeline: '', code: '', text: '' }

export function fits({ pipeline, code, text }: RefusedFilter, line: RefusedLine): boolean {
  const wanted = text.trim().toLowerCase()
  return (
    (pipeline === '' || pipelineOf(line) === pipeline) &&
    (code === '' || codeOf(line) === code) &&
    (wanted === '' || JSON.stringify(line).toLowerCase().includes(wanted))
  )
}

/** `none` if no pipeline listens at its path, as in the admin API. */
export const pipelineOf = ({ pipeline = 'none' }: RefusedLine): string => pipeline

/** A plugin can refuse a request without a code. */
export const codeOf = ({ code, status }: RefusedLine): string => code ?? `status ${status}`

/** In alphabetical order. */
export const valuesOf = (
  lines: readonly RefusedLine[] | undefined,
  value: (line: RefusedLine) => string,
): string[] => [...new Set(lines?.map(value))].sort()

/** `lines`: newest first. */
export function newestOfEach(lines: readonly RefusedLine[]): RefusedLine[] {
  const counts = new Map<string, number>()
  return lines.filter((line) => {
    const count = (counts.get(pipelineOf(line)) ?? 0) + 1
    counts.set(pipelineOf(line), count)
    return count <= MOST_OF_PIPELINE
  })
}
