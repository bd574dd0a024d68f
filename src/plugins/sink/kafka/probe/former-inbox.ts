import type { FormerInbox, LintMeaning, ProbeContext, Probed } from '../../../../contract/index.js'
import { child } from '../../../../lib/json/pointer.js'
import { coordinatorsOf } from '../coordinators.js'
import { formerInbox } from '../inbox/former-inbox.js'
import { ClusterReader } from '../log-reader.js'
import { type AskedCluster, hasGroups } from './groups.js'

export const FORMER_INBOX_LINTS = {
  'former-inbox': {
    meaning: 'The pipeline had an inbox that the config does not have, and something in it is left to do.',
    why: 'Only an instance with that inbox can work off its events and make their acknowledgements. So a start without it, or with another one, is refused until nothing is left and no instance runs with it. docs/scaling.md has the steps.',
    needs: 'cluster',
  },
} as const satisfies { readonly [name: string]: LintMeaning }

type FormerInboxTerms = Pick<ProbeContext, 'at' | 'inbox' | 'signal'> & { readonly group: string }

/** Findings about an inbox that the pipeline had, and that this config does not have. */
export async function formerInboxFindings(
  asked: AskedCluster,
  brokers: string,
  terms: FormerInboxTerms,
): Promise<Probed[]> {
  if (!hasGroups(asked)) return []
  const { group, inbox, signal } = terms
  const reader = new ClusterReader(asked.config, coordinatorsOf(asked.config, brokers), group, () => {})
  try {
    const former = await formerInbox({ group, reader, present: inbox?.topic, signal })
    return former === undefined ? [] : findingsAbout(former, terms)
  } catch (error) {
    const message = `Whether the pipeline has left something in another inbox could not be found out: ${(error as Error).message}`
    return [{ kind: 'unchecked', message }]
  } finally {
    await reader.close()
  }
}

export function findingsAbout(
  { topics, isLeft, owners, notWorkedOff, notAcknowledged }: Omit<FormerInbox, 'next' | 'leave'>,
  { at, inbox }: Pick<FormerInboxTerms, 'at' | 'inbox'>,
): Probed[] {
  const names = topics.map((topic) => `"${topic}"`).join(', ')
  if (owners.length === 0) {
    if (isLeft) return []
    if (notWorkedOff === 0 && notAcknowledged === 0)
      return [
        { kind: 'checked', message: `Nothing is left in ${names}, which the pipeline had as its inbox.` },
      ]
  }
  const running =
    owners.length === 0 ? '' : `, and ${owners.join(', ')} ${owners.length === 1 ? 'runs' : 'run'} with it`
  return [
    {
      kind: 'warning',
      at: inbox === undefined ? `${at}/brokers` : child(inbox.at, 'topic'),
      name: 'former-inbox',
      message: `The pipeline had the inbox ${names}: ${notWorkedOff} of its records are not worked off, ${notAcknowledged} are not acknowledged${running}. Until nothing is left, a start with this config is refused.`,
      suggestion:
        'Pause the pipeline on every instance with that inbox, wait until "headgate ledger" shows that nothing is left, and stop them.',
    },
  ]
}
