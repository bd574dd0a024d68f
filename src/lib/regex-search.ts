import { RE2JS } from 're2js'
import { Budget } from './budget.js'
import { indexOf } from './text-search.js'

/**
 * Searches with a compiled pattern, within a budget. RE2 takes linear time, but with a pattern such as `[ab]*a[ab]{200}[^ab]` it
 * executes 100 instructions for each character: 3 s for one MiB.
 */
export class Regex {
  readonly #engine: Engine
  /** The engine for anchored patterns takes a single path through the text, and has no method that could count steps. */
  readonly #isOnePass: boolean
  readonly #source: string

  constructor(compiled: RE2JS) {
    this.#source = compiled.pattern()
    this.#engine = compiled.re2()
    this.#isOnePass = this.#engine.onepass !== null
  }

  /** True if the pattern matches somewhere in the text. Throws HG_EVENT_TOO_COSTLY if the budget is not sufficient. */
  test(text: string, budget = new Budget()): boolean {
    return this.#run(text, budget, () => this.#engine.match(text))
  }

  /**
   * The first match at or after `from`: start and end of the whole match and of each group, -1 for a group that took no part in
   * it.
   */
  find(text: string, from: number, budget = new Budget()): readonly number[] | undefined {
    const input = new Input(text)
    return this.#run(text, budget, () => {
      // A search without groups uses the DFA, which is far faster if there is no match.
      if (this.#engine.executeEngine(input, from, UNANCHORED, 0) === null) return undefined
      const groups = 2 * (this.#engine.numSubexp + 1)
      return (this.#engine.doExecuteNFA(input, from, UNANCHORED, groups) as number[] | null) ?? undefined
    })
  }

  get groups(): number {
    return this.#engine.numSubexp
  }

  /** Instructions of the compiled program. */
  get size(): number {
    return this.#engine.numberOfInstructions() as number
  }

  /** Ajv uses it to tell patterns apart. */
  toString(): string {
    return this.#source
  }

  #run<Result>(text: string, budget: Budget, search: () => Result): Result {
    const outer = current
    current = budget
    try {
      budget.spend((text.length >> (this.#isOnePass ? 1 : 4)) + 1)
      return search()
    } finally {
      current = outer
    }
  }
}

type Engine = ReturnType<RE2JS['re2']>

/** The budget of the search in progress; a search is synchronous. */
let current = new Budget()

const UNANCHORED = 0

/**
 * Estimated bytes of the states that the DFA of a pattern keeps; the default of RE2JS is 8 MiB, which a stranger could fill for
 * each pattern of a config. When they are full, the DFA starts again, or the NFA takes over.
 */
const DFA_BYTES = 1_048_576

/** Steps of one new state of a DFA, and for each instruction in it: 10 to 40 us altogether. */
const NEW_STATE = 300
const INSTRUCTION_IN_STATE = 10

/** The most positions and instructions that the backtracker visits; it takes over from the DFA for short texts. */
const BACKTRACKER = 262_144

/**
 * RE2JS has no bound and no way to set one: this makes the methods of its engines count their steps (re2js 2.10;
 * `regex-search.test.ts` fails if another version does the work in other methods).
 */
const Input = countSteps()

function countSteps(): new (text: string) => unknown {
  const engine = RE2JS.compile('(a|b)*c').re2()
  const input = inputOf(engine)
  engine.doExecuteNFA(input, 0, UNANCHORED, 0)
  const dfa: Dfa = Object.getPrototypeOf(engine.dfa)
  const nfa: Nfa = Object.getPrototypeOf(engine.machinePool[0])
  const { match, getState } = dfa
  const { step } = nfa
  dfa.match = function (text, from, anchor) {
    if (this.maxMem !== DFA_BYTES) this.maxMem = this.stateBudget = this.memBudget = DFA_BYTES
    const characters = text.endPos() - from
    current.spend(characters / 3)
    const result = match.call(this, text, from, anchor)
    if (result === null) current.spend(Math.min(BACKTRACKER, characters * this.prog.numInst()))
    return result
  }
  dfa.getState = function (instructions, flag, ids) {
    current.spend(NEW_STATE + INSTRUCTION_IN_STATE * instructions.length)
    return getState.call(this, instructions, flag, ids)
  }
  nfa.step = function (threads, ...rest) {
    current.spend((threads.size * (8 + this.ncap)) / 8)
    return step.call(this, threads, ...rest)
  }
  searchInLinearTime(Object.getPrototypeOf(input))
  return input.constructor as new (
    text: string,
  ) => unknown
}

/** RE2JS uses these methods for the literals that a pattern begins with or requires. */
function searchInLinearTime(text: Text): void {
  text.index = function ({ prefix }, from) {
    const found = indexOf(this.charSequence, prefix, from)
    return found === -1 ? -1 : found - from
  }
  text.hasString = function ({ str }, from) {
    return indexOf(this.charSequence, str, from) !== -1
  }
}

interface Dfa {
  maxMem: number
  stateBudget: number
  memBudget: number
  readonly prog: { numInst(): number }
  match(text: Text, from: number, anchor: number): boolean | null
  getState(instructions: readonly number[], flag: number, ids: readonly number[]): object | null
}

interface Nfa {
  readonly ncap: number
  step(threads: { readonly size: number }, ...rest: unknown[]): void
}

/** The input of the engines: a whole text. */
interface Text {
  readonly charSequence: string
  endPos(): number
  index(regex: { readonly prefix: string }, from: number): number
  hasString(word: { readonly str: string }, from: number): boolean
}

/** RE2JS does not export the class of its inputs: this captures the input of a match. */
function inputOf(engine: Engine): object {
  let caught: object | undefined
  const { executeEngine } = engine
  engine.executeEngine = (input: object) => {
    caught = input
    return null
  }
  engine.match('')
  engine.executeEngine = executeEngine
  return caught as object
}
