/** `npm run bench`: Headgate against the floor, in turns, on one Kafka. */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { type Load, measure, type Sample } from './measure.js'
import { type Options, readOptions } from './options.js'
import { floor, headgate } from './programs.js'
import { cpuRatio, formatSpread, formatSummaries, summarize } from './report.js'
import { startSurroundings } from './surroundings.js'

const BODY_BYTES = 1024
const WARM_UP_SECONDS = 2

async function bench({ rounds, seconds, inFlight, jsonata, json, profile }: Options): Promise<void> {
  const load: Load = { seconds, inFlight, warmUpSeconds: WARM_UP_SECONDS, bodyBytes: BODY_BYTES }
  const programs = [
    floor(profile),
    headgate(jsonata ? 'plugins.config.json' : 'bench/plugins.config.json', profile),
  ]
  const samples: Sample[] = []

  const around = await startSurroundings()
  try {
    for (let round = 0; round < rounds; round++) {
      // Each goes first in turn: what one leaves behind must not always be the other's burden.
      for (const program of round % 2 === 0 ? programs : programs.toReversed()) {
        const sample = await measure(program, `${program.name}${round}`, load, around)
        samples.push(sample)
        console.error(`round ${round + 1}: ${program.name} ${sample.cpuPerEvent.toFixed(0)} us CPU an event`)
      }
    }
  } finally {
    await around.stop()
  }

  const summaries = programs.map(({ name }) => summarize(name, samples))
  const ratio = cpuRatio(samples, 'headgate', 'floor')
  console.log(`${inFlight} events of ${BODY_BYTES} B in flight, ${around.kafka}`)
  console.log(`medians of ${rounds} rounds of ${seconds} s (lowest-highest)\n`)
  console.log(formatSummaries(summaries))
  console.log(`\nCPU an event, headgate to floor: ${formatSpread(ratio, 2)}`)
  if (json !== undefined) {
    const machine = {
      node: process.version,
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      kafka: around.kafka,
    }
    writeFileSync(json, `${JSON.stringify({ machine, load, ratio, summaries, samples }, null, 2)}\n`)
  }
  // A refused event costs less than one delivered: the figures are not worth much then.
  for (const { program, refused } of samples) {
    if (Object.keys(refused).length === 0) continue
    console.log(`${program} refused events, by status: ${JSON.stringify(refused)}`)
    process.exitCode = 1
  }
}

try {
  const options = readOptions(process.argv.slice(2))
  await bench(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
