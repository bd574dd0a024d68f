import { describe, expect, it } from 'vitest'
import { expressionProblems } from '../../../../src/plugins/transform/route/jsonata.js'

/** Each problem with the part of the expression that it points at. */
const problems = (text: string) =>
  expressionProblems(text).map(({ message, suggestion, from, to }) => ({
    at: text.slice(from, to),
    said: `${message} ${suggestion ?? ''}`,
  }))

describe('an expression that can only fail', () => {
  it.each([
    // Names.
    ["$lowercas(payload.region) = 'x'", '$lowercas', 'Did you mean "$lowercase"?'],
    ['$Contains(a, "x")', '$Contains', 'Did you mean "$contains"?'],
    ['$frobnicate(a) = 1', '$frobnicate', 'JSONata has no function $frobnicate.'],
    ['a ~> $uppercas', '$uppercas', 'Did you mean "$uppercase"?'],
    ["$region.x = 'a'", '$region', 'For a member of the event, leave out the $: "region".'],
    // The request.
    ["$header.x = 'a'", '$header', 'Did you mean "$headers"?'],
    ['$exists($headers)', '$headers', 'The name of a header is missing behind $headers.'],
    ['$lookup($headers, "x") = "a"', '$headers', 'Write $headers."X-GitHub-Event".'],
    ['$headers.* = "a"', '$headers', 'The name of a header is missing'],
    ['$headers[0].x = "a"', '$headers', 'The name of a header is missing'],
    ['$headers.(x) = "a"', '$headers', 'The name of a header is missing'],
    ['$headers(1) = "a"', '$headers', 'The name of a header is missing'],
    ['$count($query) > 1', '$query', 'The name of a parameter is missing behind $query.'],
    ['($path := "/a"; a = $path)', '$path', 'The variable $path is a part of the request.'],
    ['$map(a, function($headers) { $headers.x })', '$headers', 'Choose another name'],
    ['$foo', '$foo', 'There is no variable or function $foo.'],
    ['($total := 1; $totl > 0)', '$totl', 'Did you mean "$total"?'],
    ['items[$i > 0]', '$i', 'There is no variable or function $i.'],
    ["lowercase(payload.region) = 'x'", 'lowercase', 'Write $lowercase(...).'],
    ['payload.exists(a)', 'exists', 'Write $exists(...).'],
    // Operators of other languages.
    ['payload.region == "x"', '==', 'JSONata compares with one "="'],
    ['payload.region === "x"', '===', 'JSONata compares with one "="'],
    ['payload.region == null', '==', 'JSONata compares with one "="'],
    ['a !== 1', '!==', 'Write "!=".'],
    ['a = 1 && b = 2', '&&', 'Write "and".'],
    ['a = 1 || b = 2', '||', 'Write "or".'],
    ['!active', '!', 'Write $not(...)'],
    ['a <> 1', '<>', 'Write "!=".'],
    ['a = 1 AND b = 2', 'AND', 'lower case'],
    ['a NOT IN [1]', 'NOT IN', 'Write $not(payload.region in'],
    ['not active', 'not', 'Write $not(...)'],
    ['a is null', 'is null', 'Write "= null"'],
    ['a =~ /x/', '=~', '$contains('],
    ['a like "x"', 'like', '$contains('],
    ['if (a) b', 'if (a) b', 'condition ? then : otherwise'],
    ['a = .5', '.5', 'Write 0.5'],
    ['a = 007', '007', 'no zeros in front'],
    ['a = 1;', ';', 'Leave it out.'],
    // Quotes.
    ['region = "eu', '"eu', 'matching quote'],
    ['region = “eu”', '“eu”', 'typographic quotes'],
    ['region = ‘eu’', '‘eu’', 'typographic quotes'],
    // The rest of a syntax error.
    ['a b', 'b', 'Syntax error'],
    ['(a = 1', '', 'Expected ")"'],
    // Calls.
    ['$contains(a, "x", "y")', '$contains', 'It takes 1 to 2 arguments, and has 3.'],
    ['$substring("abc") = "x"', '$substring', 'An argument is missing.'],
    ['$sum() > 1', '$sum', 'It takes 1 argument, and has none.'],
    [
      '$contains(a, 5)',
      '$contains',
      'Its argument 2 is a number, and should be text, or a function or a regex.',
    ],
    ['$uppercase(5) = "x"', '$uppercase', 'is a number, and should be text'],
    ['$uppercase($length(a)) = "x"', '$uppercase', 'is a number, and should be text'],
    ['$length(a = b) > 1', '$length', 'is true or false, and should be text'],
    ['a ~> $contains("x", "y", "z")', '$contains', 'It takes 1 to 2 arguments, and has 4.'],
    // Operands.
    ['payload.region = /^eu/', '=', 'Write $contains(payload.region, /^eu-/).'],
    ['payload.region in /^eu/', 'in', '$contains('],
    ['total + "5" > 1', '+', 'Texts are joined with "&".'],
    ['total * true > 1', '*', '"*" takes numbers.'],
    ['total > null', '>', 'compares numbers, or texts'],
    ['$length(a) > "5"', '>', 'cannot compare a number with a text'],
  ])('%s is refused at "%s"', (text, at, said) => {
    expect(problems(text)).toEqual([{ at, said: expect.stringContaining(said) }])
  })

  it('has all its problems told at once', () => {
    const found = problems('$uppercas(a) = "X" and $region.x = /y/').map(({ at }) => at)

    expect(found.sort()).toEqual(['$region', '$uppercas', '='])
  })
})

describe('an expression that can be true', () => {
  it.each([
    'payload.region = "eu"',
    '$contains(payload.region, /^eu/)',
    'payload.region.$contains("eu")',
    'payload.name.$uppercase() = "X"',
    'payload.region ~> $uppercase ~> $contains("EU")',
    '$map(items, function($v, $i, $a){ $v.n + $i })[0] = 1',
    '$reduce(items.n, function($a, $b){ $a + $b }, 0) > 5',
    '$filter(items, $exists)',
    'items#$i[$i = 0].n = 1',
    'items@$x.$x.n = 1',
    '($sum := function($a, $b){ $a = $b }; $sum(1, 2))',
    '($f := function($n){ $n <= 1 ? 1 : $n * $f($n - 1) }; $f(3) = 6)',
    'items^(>n)[0].n = 2',
    '$join(tags, ",") = "a,b"',
    '$string(a) & "x" = "1x"',
    '$substring(a, 0, 3) = "abc" or $substringBefore(a, "-") = "abc"',
    '$sum([1, 2]) + $sum(3) > 1',
    '$exists(a) and $not(b) and $boolean(c)',
    '$zip(a, b, c)[0][0] = 1',
    '$append(a, b)[0] = 1',
    '$match(a, /x(y)/)[0].groups[0] = "y"',
    '$replace(a, /x/, function($m){ $m.match & "y" }) = "xy"',
    '$round(a, 2) = 1.25 and $power(a, 2) > 1 and $abs(-a) = 1',
    '$merge([a, b]).c = 1 and $keys(a)[0] = "x" and $lookup(a, "x") = 1',
    '$millis() > at and $random() < 2',
    '$$.a = $.a',
    'a > b and a >= 5 and "x" < name',
    '-a = -5 and a - b * 2 = 1',
    '"==" = a and b = "&& || !"',
    '$type(a) = "null" or $single(items, function($v){ $v.n = 1 }).n = 1',
    '$each(a, function($v, $k){ $k }) and $sift(a, function($v){ $v > 1 })',
    '$contains(a, $lookup(b, "x"))',
    '$error("x")',
    '$assert(a, "x")',
    '$formatBase(a, 16) = "ff" and $parseInteger(a, "0") = 5',
    '$count(items) = 0 ? true : false',
  ])('%s is taken', (text) => {
    expect(expressionProblems(text)).toEqual([])
  })
})
