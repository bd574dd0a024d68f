import { ERRORS, type ErrorCode, type ErrorKind } from '../errors.js'

const KINDS: { readonly [kind in ErrorKind]: string } = {
  data: 'The event is at fault. Sending it again changes nothing; `onError` of the stage decides what becomes of it.',
  infrastructure: 'Our side is at fault. The sender is answered 503 with Retry-After and keeps the event.',
  config: 'What the operator wrote is at fault. Nothing is started with it.',
}

/** The page `docs/errors.md`, from the one table of codes. */
export function errorReference(): string {
  const sections = (Object.keys(KINDS) as ErrorKind[]).map((kind) => {
    const codes = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].kind === kind)
    const rows = codes.map((code) => {
      const { status, meaning, action } = ERRORS[code]
      return `| \`${code}\` | ${status ?? ''} | ${meaning} | ${action} |`
    })
    return [
      `## ${kind}`,
      '',
      KINDS[kind],
      '',
      '| code | answer | meaning | what to do |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${['# Errors', 'Generated from `src/errors.ts`; change it there.', ...sections].join('\n\n')}\n`
}
