import { ERRORS, type ErrorCode } from '../contract/errors.js'
import type { MaskPath } from '../lib/json/masked.js'
import { discard } from './discard.js'
import { prospectOf, readLetter } from './find.js'
import { whyNot } from './judge.js'
import { readLetterRef } from './letter.js'
import type {
  LetterDetail,
  LetterLine,
  LetterSelection,
  LettersRequest,
  Problem,
  ProspectLine,
  Refusals,
  RunPlan,
  RunResult,
  RunState,
} from './messages.js'
import { replay } from './replay.js'
import { editedJudge, runOptions } from './run-options.js'
import type { DeadLetterSession } from './session.js'
import { jsonOf, shownBody } from './shown-body.js'
import { HIDDEN_HEADERS, hiderOf, lineOf, Snapshot } from './snapshot.js'

const MOST_LISTED = 20
/** Its event has a record, so no replay makes one. */
const FAILED_ACK = 'a failed acknowledgement: retry it among the acknowledgements'
/** Milliseconds between two reports of a run. */
const REPORT_EVERY = 250

export interface DeskOptions {
  readonly session: DeadLetterSession
  readonly masks: readonly MaskPath[]
  readonly secrets: ReadonlyMap<string, string>
  onRun(run: RunState): void
}

/** Works through the dead letters of a pipeline for an operator, as `headgate dlq` does. */
export class DeadLetterDesk {
  readonly #options: DeskOptions
  #snapshot: Promise<Snapshot> | undefined
  #run: AbortController | undefined
  #gaveUp = false

  constructor({ session, ...options }: DeskOptions) {
    const giveUp = () => {
      this.#gaveUp = true
      return session.giveUp()
    }
    this.#options = { ...options, session: { ...session, giveUp } }
  }

  /** Nothing can be read or sent any more. */
  get hasGivenUp(): boolean {
    return this.#gaveUp
  }

  get isRunning(): boolean {
    return this.#run !== undefined
  }

  async handle(request: LettersRequest): Promise<object> {
    switch (request.kind) {
      case 'list': {
        const { selection, status, offset, limit, refresh } = request
        return (await this.#read(refresh)).page(selection, status === 'settled', offset, limit)
      }
      case 'show':
        return this.#show(request.position)
      case 'plan':
        return this.#plan(request.selection, request.edited)
      case 'plan-discard':
        return planOf((await this.#choose(request.selection)).open.length, [], [])
      case 'replay':
        return this.#replay(request.selection, request.edited)
      case 'discard':
        return this.#discard(request.selection, request.reason)
      case 'stop':
        this.#run?.abort()
        return {}
    }
  }

  #read(again: boolean): Promise<Snapshot> {
    if (again || this.#snapshot === undefined) {
      const reading = Snapshot.read(this.#options.session, this.#options.masks)
      this.#snapshot = reading
      reading.catch(() => {
        if (this.#snapshot === reading) this.#snapshot = undefined
      })
    }
    return this.#snapshot
  }

  async #show(position: string): Promise<LetterDetail | Problem> {
    const { session, masks, secrets } = this.#options
    const ref = readLetterRef(position)
    if (ref === undefined) return { status: 404, problem: `${position} is no position of a dead letter.` }
    const at = { ...ref, topic: session.topic }
    const one = await readLetter(session.log, at, session.delivery.name, session.delivery.proof)
    if (one.kind === 'none') return { status: 404, problem: one.why }
    const { found, record } = one
    const { letter } = found
    const hider = hiderOf(jsonOf(record.value, letter), masks)
    const hide = (text: string) => session.redact(hider(text))
    const prospect =
      letter.failedAck === undefined ? prospectOf(await session.judge(letter, record.value)) : undefined
    const action = ERRORS[letter.code as ErrorCode]?.action
    return {
      ...lineOf({ ...found, ...(prospect !== undefined && { prospect }) }, hide),
      topic: letter.topic,
      ...(letter.revision !== undefined && { revision: letter.revision }),
      violations: letter.violations.map((one) => ({
        pointer: hide(one.pointer),
        message: hide(one.message),
      })),
      ...(action !== undefined && { action }),
      ...(record.key !== null && { key: hide(record.key.toString()) }),
      headers: record
        .headers()
        .filter(({ name }) => !HIDDEN_HEADERS.includes(name))
        .map(({ name, value }) => ({ name, value: hide(value) })),
      bytes: record.value.length,
      ...shownBody(record.value, letter, masks, secrets),
    }
  }

  /** Those of a selection that are neither settled nor, unless an operator names them, without proof. */
  async #choose(selection: LetterSelection) {
    const snapshot = await this.#read(true)
    return { snapshot, open: snapshot.select(selection, false) }
  }

  async #plan(selection: LetterSelection, edited: string | undefined): Promise<RunPlan> {
    const { open } = await this.#choose(selection)
    const judged = await this.#judged(open, edited)
    const targets = new Map<string, { topic: string; partition?: number; records: number }>()
    for (const { found, prospect } of judged) {
      if (prospect.kind !== 'passes' || found.status.kind === 'unknown') continue
      const { kind: _, ...target } = prospect
      const key = `${target.topic} ${target.partition}`
      const row = targets.get(key) ?? { ...target, records: 0 }
      row.records++
      targets.set(key, row)
    }
    const records = [...targets.values()].reduce((sum, one) => sum + one.records, 0)
    return planOf(records, [...targets.values()], judged.flatMap(refusalOf))
  }

  /** With an edited body, the one dead letter is judged again. */
  async #judged(open: ReturnType<Snapshot['select']>, edited: string | undefined) {
    if (edited === undefined) return open.map(({ found, line }) => ({ found, line, prospect: line.prospect }))
    const [one] = open
    if (one === undefined || open.length > 1) return []
    const { session } = this.#options
    const judgement = await editedJudge(Buffer.from(edited), session)(one.found.letter, Buffer.alloc(0))
    const { prospect } = lineOf({ ...one.found, prospect: prospectOf(judgement) }, session.redact)
    return [{ ...one, prospect }]
  }

  async #replay(selection: LetterSelection, edited: string | undefined): Promise<object> {
    const { session } = this.#options
    const { snapshot, open } = await this.#choose(selection)
    const judged = await this.#judged(open, edited)
    const letters = judged.flatMap(({ found, prospect }) =>
      prospect.kind === 'passes' && found.status.kind !== 'unknown' ? [found.letter] : [],
    )
    const before = judged.flatMap(refusalOf)
    return this.#start('replay', letters.length, async (signal, onProgress, onInDoubt) => {
      const result = await replay({
        ...runOptions(session, snapshot, { signal, onInDoubt }),
        letters,
        judge: edited === undefined ? session.judge : editedJudge(Buffer.from(edited), session),
        rate: undefined,
        onProgress,
      })
      const { delivered, settledByOthers, failed, inDoubt, unknown, notTried, reason } = result
      const refused = [
        ...before,
        ...failed.map(({ letter, why }) => refusal(letter, session.redact(why))),
        ...unknown.map((letter) =>
          refusal(letter, 'its replay crashed, and its records can no longer be searched for'),
        ),
      ]
      return {
        ...{ settled: delivered, settledByOthers, inDoubt: inDoubt.length, notTried },
        refused: refusalsOf(refused),
        ...(reason !== undefined && { reason: session.redact(reason) }),
      }
    })
  }

  async #discard(selection: LetterSelection, reason: string): Promise<object> {
    const { session } = this.#options
    const { snapshot, open } = await this.#choose(selection)
    const letters = open.map(({ found }) => found.letter)
    return this.#start('discard', letters.length, async (signal, onProgress, onInDoubt) => {
      const options = { ...runOptions(session, snapshot, { signal, onInDoubt }), letters, reason, onProgress }
      const { discarded, settledByOthers, notTried, reason: why } = await discard(options)
      return {
        ...{ settled: discarded, settledByOthers, inDoubt: 0, notTried, refused: refusalsOf([]) },
        ...(why !== undefined && { reason: session.redact(why) }),
      }
    })
  }

  /** Starts a run, and reports its state until it has ended. */
  #start(
    kind: RunState['kind'],
    total: number,
    run: (
      signal: AbortSignal,
      onProgress: (done: number) => void,
      onInDoubt: (inDoubt: readonly unknown[], wait: number) => void,
    ) => Promise<RunResult>,
  ): RunState | Problem {
    if (this.#run !== undefined) return { status: 409, problem: 'Another replay or discard is under way.' }
    const stopping = new AbortController()
    this.#run = stopping
    let state: RunState = { kind, state: 'running', done: 0, total }
    let reportedAt = Number.NEGATIVE_INFINITY
    const report = (next: RunState, now = false) => {
      state = next
      if (!now && performance.now() - reportedAt < REPORT_EVERY) return
      reportedAt = performance.now()
      this.#options.onRun(state)
    }
    report(state, true)
    const end = (result: RunResult) => {
      this.#run = undefined
      this.#snapshot = undefined
      report({ kind, state: 'ended', done: state.done, total, result }, true)
    }
    run(
      stopping.signal,
      (done) => report({ kind, state: 'running', done, total }),
      (inDoubt, wait) => {
        const waits = `An earlier replay may have sent ${inDoubt.length} of them. In ${wait / 1000} s, its records are searched for.`
        report({ ...state, waits }, true)
      },
    ).then(end, (thrown: unknown) =>
      end({
        ...{ settled: 0, settledByOthers: 0, inDoubt: 0, notTried: total, refused: refusalsOf([]) },
        reason: this.#options.session.redact(thrown instanceof Error ? thrown.message : String(thrown)),
      }),
    )
    return state
  }
}

/** The refusal of a dead letter that would not pass; none if it would. */
function refusalOf({
  line,
  prospect,
}: {
  readonly line: LetterLine
  readonly prospect: ProspectLine
}): Refusals['first'] {
  if (line.status === 'unknown')
    return [{ position: line.position, id: line.id, why: 'nothing proves that this pipeline wrote it' }]
  if (prospect.kind === 'passes') return []
  if (prospect.kind === 'none') return [{ position: line.position, id: line.id, why: FAILED_ACK }]
  const why =
    prospect.kind === 'dropped' ? whyNot({ kind: 'dropped' }) : `${prospect.code}: ${prospect.message}`
  return [{ position: line.position, id: line.id, why }]
}

const refusal = (
  { partition, offset, id }: { readonly partition: number; readonly offset: number; readonly id: string },
  why: string,
) => ({ position: `${partition}:${offset}`, id, why })

const refusalsOf = (all: Refusals['first']): Refusals => ({
  count: all.length,
  first: all.slice(0, MOST_LISTED),
})

const planOf = (count: number, targets: RunPlan['targets'], refused: Refusals['first']): RunPlan => ({
  count,
  targets,
  refused: refusalsOf(refused),
})
