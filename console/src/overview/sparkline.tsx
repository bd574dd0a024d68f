import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'

export interface Line {
  readonly points: readonly (number | null)[]
  /** A name of the palette. */
  readonly colour: string
  /** Fills the area below. */
  readonly filled?: boolean
}

interface SparklineProps {
  readonly lines: readonly Line[]
  /** Seconds between two points. */
  readonly step: number
  /** For readers that see no picture. */
  readonly label: string
  /** The values of one point, as text. */
  describe(index: number): string
}

const WIDTH = 180
const HEIGHT = 40

/** Lines over the last 15 minutes, the newest at the right; a pointer shows the values of a moment. */
export function Sparkline({ lines, step, label, describe }: SparklineProps) {
  const shown = useSignal<number | undefined>(undefined)
  const length = Math.max(...lines.map(({ points }) => points.length), 0)
  const most = Math.max(...lines.flatMap(({ points }) => points.map((point) => point ?? 0)), 0)
  const x = (index: number) => WIDTH - (length - 1 - index)
  const y = (value: number) => HEIGHT - 2 - (most === 0 ? 0 : (value / most) * (HEIGHT - 5))
  const move = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect()
    const index = Math.round(((event.clientX - left) / width) * WIDTH) - (WIDTH - length + 1)
    shown.value = index >= 0 && index < length ? index : undefined
  }
  const index = shown.value === undefined || shown.value >= length ? undefined : shown.value
  const drawn = useMemo(
    () =>
      lines.map(({ points, colour, filled }) => (
        <g key={colour} style={{ color: `var(--${colour})` }}>
          {filled && <path class="area" d={areaOf(points, x, y)} />}
          <path class="line" d={lineOf(withoutZeros(points), x, y)} />
        </g>
      )),
    lines.map(({ points }) => points),
  )
  return (
    <div class="sparkline" onPointerMove={move} onPointerLeave={() => (shown.value = undefined)}>
      <svg role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
        <path class="baseline" d={`M0 ${HEIGHT - 2}H${WIDTH}`} />
        {drawn}
        {index !== undefined && <path class="cursor" d={`M${x(index)} 0V${HEIGHT}`} />}
      </svg>
      {index !== undefined && (
        <span class="readout">
          {describe(index)} · {agoText((length - 1 - index) * step)}
        </span>
      )}
    </div>
  )
}

/** Lines that stay at 0 would hide each other. */
const withoutZeros = (points: Line['points']): Line['points'] =>
  points.map((point, index) => (point === 0 && !points[index - 1] && !points[index + 1] ? null : point))

/** Broken where there is no value. */
function lineOf(points: Line['points'], x: (index: number) => number, y: (value: number) => number): string {
  let pen = 'M'
  return points
    .map((point, index) => {
      if (point === null) {
        pen = 'M'
        return ''
      }
      const at = `${pen}${x(index)} ${y(point).toFixed(1)}`
      // A point between two gaps is a dot.
      const alone = pen === 'M' && (points[index + 1] ?? null) === null
      pen = 'L'
      return alone ? `${at}h0.01` : at
    })
    .join('')
}

function areaOf(points: Line['points'], x: (index: number) => number, y: (value: number) => number): string {
  if (points.length === 0) return ''
  const values = points.map((point, index) => `L${x(index)} ${y(point ?? 0).toFixed(1)}`).join('')
  return `M${x(0)} ${HEIGHT - 2}${values}L${x(points.length - 1)} ${HEIGHT - 2}Z`
}

const agoText = (seconds: number): string =>
  seconds < 60 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`
