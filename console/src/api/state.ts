import { signal } from '@preact/signals'
import type { PipelineShape, Pipelines, PipelineTraffic, Points, Traffic } from '../../../src/admin/api.js'
import { access, getJson } from './client.js'
import { follow } from './live.js'

/** The pipelines of the running config. */
export const shapes = signal<readonly PipelineShape[] | undefined>(undefined)

/** Whether the admin API may change the config and files beside it. */
export const writable = signal(false)

/** The traffic, with the points of the last 15 minutes. */
export const traffic = signal<Traffic | undefined>(undefined)

const MOST_POINTS = 180

/** Follows the traffic, and asks for the pipelines again when the config changes. Returns the function that ends it. */
export function followTraffic(): () => void {
  let shapesOf: string | undefined
  return follow<Traffic>('/traffic', {
    onMessage(message, first) {
      traffic.value = first ? message : extended(traffic.value, message)
      const key = `${message.revision} ${message.pipelines.map(({ pipeline, state }) => `${pipeline} ${state}`)}`
      if (shapesOf === key) return
      shapesOf = key
      getJson<Pipelines>('/pipelines')
        .then((found) => {
          shapes.value = found.pipelines
          writable.value = found.writable
        })
        .catch(() => {
          shapesOf = undefined
        })
    },
  })
}

/** Whether there is a stream to follow. */
export const isAllowed = () => access.value.kind === 'allowed'

/** The message with the points that came before. */
function extended(before: Traffic | undefined, message: Traffic): Traffic {
  const pointsOf = new Map(before?.pipelines.map(({ pipeline, points }) => [pipeline, points]))
  const pipelines = message.pipelines.map((pipeline): PipelineTraffic => {
    const points = pointsOf.get(pipeline.pipeline)
    return points === undefined ? pipeline : { ...pipeline, points: joined(points, pipeline.points) }
  })
  return { ...message, pipelines }
}

function joined(before: Points, after: Points): Points {
  // Most messages have no new point: then nothing is drawn again.
  const join = <Value>(one: readonly Value[], other: readonly Value[]) =>
    other.length === 0 ? one : [...one, ...other].slice(-MOST_POINTS)
  const outcomes = Object.entries(after.outcomes).map(([outcome, counts]) => [
    outcome,
    join(before.outcomes[outcome as keyof Points['outcomes']], counts),
  ])
  return {
    outcomes: Object.fromEntries(outcomes),
    p50: join(before.p50, after.p50),
    p99: join(before.p99, after.p99),
    acknowledged: join(before.acknowledged, after.acknowledged),
    pending: join(before.pending, after.pending),
  }
}
