export interface Query {
  readonly expr: string
  /** How its series are named, as Grafana writes it: `{{outcome}}`. */
  readonly legend: string
}

export interface Panel {
  readonly title: string
  /** Its meaning, shown when the pointer is over its corner. */
  readonly description: string
  readonly type: 'stat' | 'timeseries' | 'table' | 'bargauge'
  /** A unit of Grafana: `s`, `bytes`, `ops`, `percentunit`, `short`. */
  readonly unit: string
  /** Of the 24 columns. */
  readonly width: number
  readonly queries: readonly Query[]
  /** From which value on it is shown as bad; below which, where `badBelow`. */
  readonly bad?: { readonly at: number; readonly badBelow?: true }
  /** Shown instead of a number. */
  readonly words?: { readonly [value: string]: string }
  /** The sum of the series matters. */
  readonly stacked?: true
  /** The page in docs/runbooks about its bad values. */
  readonly runbook?: string
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
  /** Not every Headgate has it. */
  readonly collapsed?: true
}

const PROCESS = 'namespace=~"$namespace",instance=~"$instance"'
const PIPELINE = `${PROCESS},pipeline=~"$pipeline"`

/** A selector of what belongs to the chosen processes, with further matchers. */
export const ofProcess = (name: string, matchers = ''): string => `${name}{${PROCESS}${more(matchers)}}`

/** The same of the chosen pipelines. */
export const ofPipeline = (name: string, matchers = ''): string => `${name}{${PIPELINE}${more(matchers)}}`

export const rate = (selector: string): string => `rate(${selector}[$__rate_interval])`

/** A quantile of a histogram of the chosen pipelines, over all of them or by labels. */
export const quantile = (share: number, histogram: string, ...by: string[]): string =>
  `histogram_quantile(${share}, sum by (${['le', ...by].join(', ')}) (${rate(ofPipeline(`${histogram}_bucket`))}))`

export const query = (expr: string, legend: string): Query => ({ expr, legend })

export const quantiles = (histogram: string): readonly Query[] =>
  [0.5, 0.95, 0.99].map((share) => query(quantile(share, histogram), `p${share * 100}`))

const more = (matchers: string): string => (matchers === '' ? '' : `,${matchers}`)
