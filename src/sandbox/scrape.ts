/** What `/metrics` said at one moment. */
export interface Scrape {
  /** The sum of the samples of a metric that have these labels, among others; 0 where there is none. */
  sum(name: string, labels?: Readonly<{ [label: string]: string }>): number
}

/** Reads the metrics of a process from its admin listener. */
export async function scrape(adminUrl: string): Promise<Scrape> {
  const response = await fetch(new URL('/metrics', adminUrl))
  if (!response.ok) throw new Error(`GET /metrics was answered ${response.status}.`)
  return parseMetrics(await response.text())
}

const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/
const LABEL = /(?<label>\w+)="(?<value>(?:[^"\\]|\\.)*)"/g

/** Understands the text format of Prometheus as far as sums need it. */
export function parseMetrics(text: string): Scrape {
  const samples = text.split('\n').flatMap((line) => {
    const { name, labels = '', value } = SAMPLE.exec(line)?.groups ?? {}
    return name === undefined ? [] : [{ name, labels: parseLabels(labels), value: Number(value) }]
  })
  return {
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) =>
          Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
        )
        .reduce((total, { value }) => total + value, 0),
  }
}

function parseLabels(text: string): ReadonlyMap<string, string> {
  const pairs = [...text.matchAll(LABEL)].map(
    ({ groups }) => [groups?.label ?? '', groups?.value ?? ''] as const,
  )
  return new Map(pairs)
}
