import type { CheckedPipeline } from '../config/check.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Committed, PostCommitRequest } from '../contract/index.js'
import type { Pipeline } from '../pipeline/build.js'
import { redactor } from '../process/redact.js'
import type { RehearsedCall, Step } from './result.js'

/** What the post-commit stages would do about an event; nothing where it is not durable. */
export function callsOf(
  { plugins }: Pipeline,
  { postCommit }: CheckedPipeline,
  references: ReadonlyMap<string, string>,
  committed: Committed | undefined,
): { readonly calls: readonly RehearsedCall[]; readonly steps: readonly Step[] } {
  const calls: RehearsedCall[] = []
  const steps: Step[] = []
  if (committed === undefined) return { calls, steps }
  const redact = redactor(withOrigins(references))
  for (const [index, instance] of plugins.postCommit.entries()) {
    const plugin = postCommit[index]?.definition.name ?? ''
    const stage = `post-commit.${index}.${plugin}`
    try {
      const request = instance.request?.(committed)
      if (request !== undefined) calls.push({ stage, ...redacted(request, redact) })
      steps.push({ stage, plugin, decision: 'pass', details: [] })
    } catch (thrown) {
      const { code, message, violations } = asHeadgateError(thrown, plugin)
      steps.push({ stage, plugin, decision: 'give-up', error: { code, message, violations }, details: [] })
    }
  }
  return { calls, steps }
}

const redacted = (
  { method, url, headers, body }: PostCommitRequest,
  redact: (text: string) => string,
): PostCommitRequest => ({
  method,
  url: redact(url),
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)])),
  body: redact(body),
})

/** URLs are also found as URL parsers write them: the host in lower case, without a default port. */
const withOrigins = (secrets: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([
    ...[...secrets].flatMap(([value, shown]): [string, string][] =>
      URL.canParse(value) ? [[new URL(value).href.replace(/\/$/, ''), shown]] : [],
    ),
    ...secrets,
  ])
