import { expect, test } from 'vitest'
import { readOptions } from '../../bench/options.js'

test('each kind of run has defaults of its own', () => {
  expect(readOptions([])).toMatchObject({
    mode: 'quick',
    rounds: 3,
    seconds: 5,
    inFlight: 64,
    jsonata: false,
  })
  expect(readOptions(['--full', '--rounds', '7'])).toMatchObject({ mode: 'full', rounds: 7, seconds: 10 })
  expect(readOptions(['--sizes'])).toMatchObject({ mode: 'sizes', rounds: 1, seconds: 3 })
  expect(readOptions(['--soak', '10000000'])).toMatchObject({
    mode: 'soak',
    events: 10_000_000,
    inFlight: 500,
  })
  expect(readOptions(['--pending', '5000000'])).toMatchObject({
    mode: 'pending',
    pending: 5_000_000,
    seconds: 10,
  })
  expect(readOptions(['--sources'])).toMatchObject({ mode: 'sources', rounds: 3, seconds: 10, inFlight: 64 })
  expect(readOptions(['--console'])).toMatchObject({ mode: 'console', rounds: 3, seconds: 10 })
})

test('an inbox is a run of its own, or part of a soak', () => {
  expect(readOptions(['--inbox'])).toMatchObject({ mode: 'inbox', inbox: false, rounds: 3 })
  expect(readOptions(['--soak', '5000000', '--inbox'])).toMatchObject({ mode: 'soak', inbox: true })
})

test('the pages are written to their own folder', () => {
  expect(readOptions(['--full', '--docs'])).toMatchObject({ out: 'docs/performance', docs: true })
  expect(readOptions(['--out', 'here'])).toMatchObject({ out: 'here', docs: false })
})

test.each([
  [['--rounds', '0'], /--rounds should be a whole number from 1 on; it is "0"/],
  [['--soak', 'long'], /--soak should be a whole number from 1 on; it is "long"/],
  [['--nope'], /--nope/],
  [['--full', '--sizes'], /--full and --sizes are runs of their own/],
  [['--sizes', '--ledger'], /--sizes measures Headgate as it is/],
  [['--sources', '--against', 'main'], /--sources measures Headgate as it is/],
  [['--soak', '1000', '--workers', '2'], /--soak measures Headgate as it is/],
  [['--workers', 'two'], /--workers should be a whole number from 1 on; it is "two"/],
  [['--pending', 'much'], /--pending should be a whole number from 1 on; it is "much"/],
  [['--pending', '1000', '--ledger'], /--pending measures Headgate as it is/],
  [['--inbox', '--workers', '2'], /--inbox measures Headgate as it is/],
  [['--soak', '1000', '--pending', '1000'], /--soak and --pending are runs of their own/],
  [['--docs'], /--docs needs --full, --sizes, --soak, --pending, --inbox, --sources or --console/],
  [['--full', '--docs', '--out', 'here'], /Either --docs or --out/],
])('%j does not fit, and is told with the usage', (args, message) => {
  expect(() => readOptions(args)).toThrow(message)
  expect(() => readOptions(args)).toThrow(/--out DIR/)
})
