import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Budget, STEPS } from '../../../../src/lib/budget.js'
import { compileJsonata } from '../../../../src/plugins/transform/route/jsonata.js'
import { evaluationError } from '../../../../src/plugins/transform/route/jsonata-errors.js'
import { eventOf, nameIn, stage } from './setup.js'

const MIB = 1_048_576
const text = (value: unknown) => JSON.stringify(value)
const few = Array.from({ length: 9_000 }, (_, index) => index)

/** Events of the largest size that is allowed by default, in the forms that cost most. */
const BODIES = {
  'a long text': text({ a: 'ab'.repeat(MIB / 2 - 50), b: 'x', few: [1] }),
  'a text and one that is nearly in it': text({
    a: 'a'.repeat(MIB / 2),
    b: `${'a'.repeat(MIB / 4 - 1)}b${'a'.repeat(MIB / 4 - 100)}`,
  }),
  numbers: text({ a: Array.from({ length: MIB / 2 - 10 }, () => 1) }),
  'empty objects': text({ a: Array.from({ length: MIB / 3 - 10 }, () => ({})) }),
  'empty arrays': text({ a: [Array.from({ length: MIB / 3 - 10 }, () => [])] }),
  texts: text({ a: Array.from({ length: MIB / 3 - 10 }, () => '') }),
  keys: text({ a: Object.fromEntries(Array.from({ length: 90_000 }, (_, n) => [`k${n}`, n % 10])) }),
  'deep nesting': text({ a: JSON.parse(`${'[{"a":['.repeat(20)}${'1,'.repeat(1000)}1${']}]'.repeat(20)}`) }),
  'a list and much else': text({ few, a: Array.from({ length: 200_000 }, () => 'b') }),
  'two large equal values': text({
    few,
    a: Array.from({ length: 30_000 }, () => ({ b: [1] })),
    b: Array.from({ length: 30_000 }, () => ({ b: [1] })),
  }),
}

type Form = keyof typeof BODIES

const FORMS = Object.keys(BODIES) as Form[]

const TEXTS: readonly Form[] = ['a long text', 'a text and one that is nearly in it']
const LISTS: readonly Form[] = ['numbers', 'empty arrays', 'keys']
const LOOPS: readonly Form[] = ['a list and much else', 'two large equal values']
const ANY: readonly Form[] = ['deep nesting', 'keys']

/** Expressions, and the forms that cost them most; with HEADGATE_FUZZ_RUNS, all are tried with all. */
const EXPRESSIONS: readonly (readonly [readonly Form[], readonly string[]])[] = [
  [
    TEXTS,
    [
      '$contains(a, /[ab]*a[ab]{200}[^ab]/)',
      '$replace(a, /[ab]/, "xyz") = ""',
      '$replace(a, /(a)(.*b)?/, "$1$2$2") = ""',
      '$count($split(a, /b?/)) = 0',
      '$count($match(a, /./)) = 0',
      '$contains(a, b)',
      '$substringBefore(a, b) = $substringAfter(a, b)',
      '$count($split(a, b)) > 1 or $replace(a, b, "") = ""',
      '$count($split(a, "")) = 0',
      '$length($replace(a, "a", a)) > 0',
      '$length(a) + $length($substring(a, 1, 3)) > 0',
      '$join(a, "0123456789") = ""',
      '$join($split(a, ""), a) = ""',
      '$parseInteger("1", a) = 1',
      '$number(a) = 1',
      '$encodeUrl(a) & $encodeUrlComponent(a) & $base64encode(a) = ""',
      '($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f(b, 40)) > 0)',
    ],
  ],
  [LOOPS, ['few.($uppercase($$.a)) = ""', 'few.($string($$)) = ""', 'few.($$ & "") = ""']],
  [
    LISTS,
    [
      '$string(a) = ""',
      '$sum(a) + $count(a) + $max(a) > 0',
      '$map(a, $not) or $filter(a, $boolean) or $each(a, $string) or $sift(a, $not)',
      '$reduce(a, function($x, $y){ $x }) = 1',
      '$count($reverse(a)) + $count($shuffle(a)) + $count($zip(a, a, a)) > 0',
      '$count($append(a, a)) > 0',
      '$count($spread(a)) + $count($keys(a)) > 0',
      '$exists($merge(a))',
      '$count($lookup(a, "a")) > 0',
      '$count(a^($)) > 0',
      '$count(a[$ = $$.a]) > 0',
    ],
  ],
  [
    LOOPS,
    [
      'few[$$.a] = 1',
      'few[$ in $$.a] = 1',
      'few[$$.a = $$.b] = 1',
      'few[$count($$.**) > 0] = 1',
      'few[$count($$.*) > 0] = 1',
      'few[$exists($lookup($$.a, "x"))] = 1',
      '$count([1..1e7]) > 0',
      'few[$count([1..9999]) > 0] = 1',
    ],
  ],
  [LISTS, ['$exists(a{$string($): $})', '$exists($$ ~> |**|{"self": $}|)']],
  // The same part many times.
  [
    ANY,
    [
      '($f := function($x, $n){ $n = 0 ? $x : $f([[$x], [$x]], $n - 1) }; $string($f(b, 60)) = "")',
      '($f := function($x, $n){ $n = 0 ? $x : $f({"a": $x, "b": $x}, $n - 1) }; $f(a, 60) = $f(b, 60))',
      '($f := function($x, $n){ $n = 0 ? $x : $f($map([1, 2], function(){ $x }), $n - 1) }; $boolean($f([b], 60)))',
      '($f := function($x, $n){ $n = 0 ? $x : $f($zip([$x, $x], [$x, $x]), $n - 1) }; $f([], 40) = 1)',
    ],
  ],
  [LOOPS, ['few.($$) = few.($$)', 'few.(few.($$)) = 1']],
  [
    ['a long text'],
    [
      '($f := function($n){ $f($n + 1) }; $f(0))',
      '($f := function($n){ 1 + $f($n) }; $f(0))',
      '($f := function(){ [$f(), $f(), $f()] }; $f())',
      '[$error("x"), ($f := function($n){ $f($n + 1) }; $f(0))]',
    ],
  ],
  [LOOPS, ['few.($$.few[$ > 5])']],
]

const cases = EXPRESSIONS.flatMap(([forms, expressions]) =>
  expressions.map((jsonata) => [jsonata, process.env['HEADGATE_FUZZ_RUNS'] ? FORMS : forms] as const),
)

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

// These took up to a minute, or hundreds of MiB. With the steps counted, they take some tenths of a second.
describe('the steps of an expression end it, if the clock stands still, whatever the event', () => {
  it.each(cases)('%s', { timeout: 60_000 }, async (jsonata, forms) => {
    const { matches } = compileJsonata(jsonata)
    for (const form of forms) {
      const budget = new Budget()
      const error: unknown = await matches(eventOf(BODIES[form]).body, budget).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error === undefined) expect(budget.spent, form).toBeLessThanOrEqual(STEPS)
      else expect(evaluationError('rule', error).kind, form).toBe('data')
      expect(error ?? {}, form).not.toMatchObject({ code: 'D1012' })
    }
  })
})

it('a rule with such an expression decides, or fails as bad data', async () => {
  const transform = stage({ rule: { jsonata: 'few[$$.a = $$.b] = 1' } })
  const verdict = await transform.apply(eventOf(BODIES['two large equal values']))
  expect(verdict).toMatchObject({ kind: 'fail', error: { kind: 'data', code: 'HG_EVENT_TOO_COSTLY' } })
  expect(nameIn(await transform.apply(eventOf(text({ few: [1], a: 1, b: 1 }))))).toBe('rule')
})
