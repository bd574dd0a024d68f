import type { FormerTopics, LintMeaning, ProbeContext, Probed } from '../../../../contract/index.js'
import { child } from '../../../../lib/json/pointer.js'
import { formerTopics } from '../inbox/former-topics.js'
import { ClusterReader } from '../log/log-reader.js'
import { coordinatorsOf } from '../protocol/coordinators.js'
import { type AskedCluster, hasGroups } from './groups.js'

export const FORMER_TOPICS_LINTS = {
  'former-topics': {
    meaning:
      'The pipeline had an inbox, or its source had topics, that the config does not have, and something in them is left to do.',
    why: 'Only an instance with the former config can work off what is left and make its acknowledgements. So the pipeline does not begin with this one while events of an inbox or acknowledgements are left, or an instance runs with the former config. Records that other programs wrote to a former topic of a source hold nothing up, because others go on writing: they stay there, and a start says how many. docs/scaling.md and docs/source-kafka.md have the steps.',
    needs: 'cluster',
  },
} as const satisfies { readonly [name: string]: LintMeaning }

type FormerTopicsTerms = Pick<ProbeContext, 'at' | 'inbox' | 'sources' | 'signal'> & {
  readonly group: string
}

/** Findings about topics that the pipeline worked off, and that this config does not have. */
export async function formerTopicsFindings(
  asked: AskedCluster,
  brokers: string,
  terms: FormerTopicsTerms,
): Promise<Probed[]> {
  if (!hasGroups(asked)) return []
  const { group, inbox, sources, signal } = terms
  const present = inbox === undefined ? sources.map(({ topic }) => topic) : [inbox.topic]
  const reader = new ClusterReader(asked.config, coordinatorsOf(asked.config, brokers), group, () => {})
  try {
    const former = await formerTopics({ group, reader, present, signal })
    return former === undefined ? [] : findingsAbout(former, terms)
  } catch (error) {
    const message = `Whether the pipeline has left something in other topics could not be found out: ${(error as Error).message}`
    return [{ kind: 'unchecked', message }]
  } finally {
    await reader.close()
  }
}

export function findingsAbout(
  { topics, isLeft, owners, unfinished }: Omit<FormerTopics, 'leave'>,
  terms: Pick<FormerTopicsTerms, 'at' | 'inbox' | 'sources'>,
): Probed[] {
  const names = topics.map((topic) => `"${topic}"`).join(', ')
  if (owners.length === 0) {
    if (isLeft) return []
    if (unfinished.length === 0)
      return [
        { kind: 'checked', message: `Nothing is left in ${names}, which the pipeline worked off before.` },
      ]
  }
  const sum = (of: (topic: (typeof unfinished)[number]) => number) =>
    unfinished.reduce((all, each) => all + of(each), 0)
  const running =
    owners.length === 0 ? '' : `, and ${owners.join(', ')} ${owners.length === 1 ? 'runs' : 'run'} with it`
  return [
    {
      kind: 'warning',
      at: placeOf(terms),
      name: 'former-topics',
      message: `The pipeline worked off ${names} before: ${sum(({ notWorkedOff }) => notWorkedOff)} of its records are not worked off, ${sum(({ notAcknowledged }) => notAcknowledged)} are not acknowledged${running}. The pipeline does not begin with this config while events of an inbox, or acknowledgements, are left. Other records stay there.`,
      suggestion:
        'Pause the pipeline on every instance with the former config, wait until "headgate ledger" shows that no event of an inbox and no acknowledgement is left, and stop them. If records of a source are left that matter, let such an instance work them off first.',
    },
  ]
}

function placeOf({ at, inbox, sources }: Pick<FormerTopicsTerms, 'at' | 'inbox' | 'sources'>): string {
  const [first] = sources
  if (inbox !== undefined) return child(inbox.at, 'topic')
  return first === undefined ? `${at}/brokers` : first.at.slice(0, first.at.lastIndexOf('/'))
}
