import type {
  ConfigProblem,
  Event,
  RequestParts,
  Transform,
  Verdict,
} from '../../../../src/contract/index.js'
import { parseBody } from '../../../../src/lib/json/body.js'
import { route } from '../../../../src/plugins/transform/route/index.js'
import { fillDefaults, type TestContext, testContext } from '../../../helpers/context.js'

export const eventOf = (text: string): Event => ({
  id: 'e1',
  body: parseBody(Buffer.from(text), 64),
  receivedAt: 0,
})

export const event = (value: unknown, request?: RequestParts): Event => ({
  ...eventOf(JSON.stringify(value)),
  ...(request !== undefined && { request }),
})

/** Every rule goes to a topic with the name of the rule. */
export interface Rules {
  readonly [name: string]: {
    readonly regex?: string
    readonly at?: string
    readonly flags?: string
    readonly jsonata?: string
  }
}

export const config = (rules: Rules, more: object = {}) =>
  fillDefaults(route, {
    rules: Object.entries(rules).map(([name, when]) => ({ name, when, to: { topic: name } })),
    otherwise: { topic: 'other' },
    ...more,
  })

export const stage = (rules: Rules, more: object = {}, context: TestContext = testContext()): Transform =>
  route.create(config(rules, more), context)

/** The name of the rule that decides on an event. */
export async function chosen(rules: Rules, value: unknown, more: object = {}): Promise<string | undefined> {
  return nameIn(await stage(rules, more).apply(event(value)))
}

export const nameIn = (verdict: Verdict): string | undefined =>
  verdict.kind === 'pass' ? verdict.event.route?.name : verdict.kind

export const problems = (settings: ReturnType<typeof config>, deadLetters = true): ConfigProblem[] => [
  ...(route.check?.(settings, { files: testContext().files, exposed: false, deadLetters }) ?? []),
]
