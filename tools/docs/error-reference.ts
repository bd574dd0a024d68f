import { ERROR_KINDS, ERRORS, type ErrorCode, type ErrorKind } from '../../src/contract/errors.js'
import { type KafkaFailures, kafkaFailures } from './kafka-failures.js'

const INTRODUCTION =
  'Generated from `src/contract/errors.ts` and `src/plugins/sink/kafka/failure-table.ts`; change it there.'

/** The page `docs/errors.md`, from the one table of codes and what the sink knows of its client's errors. */
export function errorReference(kafka: KafkaFailures): string {
  const sections = (Object.keys(ERROR_KINDS) as ErrorKind[]).map((kind) => {
    const codes = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].kind === kind)
    const rows = codes.map((code) => {
      const { status, meaning, action } = ERRORS[code]
      return `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${status ?? ''} | ${meaning} | ${action} |`
    })
    return [
      `## ${kind}`,
      '',
      ERROR_KINDS[kind],
      '',
      '| code | status | meaning | action |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${['# Errors', INTRODUCTION, ...sections, kafkaFailures(kafka)].join('\n\n')}\n`
}
