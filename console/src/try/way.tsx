import type { ExplanationJson } from '../../../src/admin/api.js'
import { OutcomeLabel } from '../outcome.js'
import type { GraphNode } from '../overview/graph.js'
import { KINDS, Picture } from '../overview/picture.js'
import { DECISIONS, isAcknowledgement, OUTCOME_OF, partitionText, trafficOfOne } from './one-event.js'
import type { Tried } from './trial.js'

/** The way of the event on the picture of the overview. */
export function Way({ tried: { shape, explanation } }: { readonly tried: Tried }) {
  return (
    <Picture
      shape={shape}
      traffic={trafficOfOne(explanation, shape)}
      label={`The way of the event through ${shape.name}`}
      Text={({ node }) => <WayText node={node} explanation={explanation} />}
    />
  )
}

interface WayTextProps {
  readonly node: GraphNode
  readonly explanation: ExplanationJson
}

function WayText({ node, explanation }: WayTextProps) {
  const { kind, title, note, flow } = node
  const kindText = KINDS[kind]
  const isReached = flow.count > 0
  return (
    <>
      {kindText !== undefined && <span class="kind">{kindText}</span>}
      <span class="title" title={title}>
        <bdi>{title}</bdi>
      </span>
      {isReached ? (
        <Reached node={node} explanation={explanation} />
      ) : (
        <Unreached {...{ node, explanation }} />
      )}
      {!isReached && note !== undefined && <span class="note">{note}</span>}
    </>
  )
}

function Reached({ node: { id, kind, title }, explanation }: WayTextProps) {
  const { steps, records, outcome } = explanation
  const [record] = records
  if (kind === 'topic' || kind === 'dead-letter')
    return <span class="note">{record === undefined ? '' : partitionText(record)}</span>
  if (kind === 'exit')
    return (
      <span class="note">
        {outcome.kind} {outcome.code}
      </span>
    )
  if (kind === 'rule') {
    const found = ruleDetail(explanation, title)?.looked.at(-1)?.found
    return (
      <span class="note" title={found}>
        <OutcomeLabel kind="delivered">matched</OutcomeLabel> {found}
      </span>
    )
  }
  const step = steps.find(({ stage }) => stage === id)
  if (step === undefined) return null
  const text =
    isAcknowledgement(id) && step.decision === 'pass' ? 'acknowledges it' : DECISIONS[step.decision]
  return (
    <span class="verdict">
      <OutcomeLabel kind={OUTCOME_OF[step.decision]}>{text}</OutcomeLabel>
    </span>
  )
}

function Unreached({ node: { kind, title }, explanation }: WayTextProps) {
  const result = kind === 'rule' ? ruleDetail(explanation, title)?.result : undefined
  return result === undefined ? null : <span class="note">{result}</span>
}

const ruleDetail = ({ steps }: ExplanationJson, rule: string) =>
  steps
    .flatMap(({ details }) => details)
    .find(({ name }) => name === `rule ${rule}` || (rule === 'otherwise' && name === rule))
