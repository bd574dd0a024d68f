import { expect, test } from 'vitest'
import { progressBar } from '../../../src/lib/terminal/progress.js'

function drawn(terminal: boolean, draw: (bar: ReturnType<typeof progressBar>) => void): string[] {
  const written: string[] = []
  draw(progressBar((text) => written.push(text), terminal))
  return written
}

test('the bar grows on one line, from empty to full', () => {
  const lines = drawn(true, (bar) => {
    for (const done of [0, 500, 1000]) bar.show('posted', done, 1000)
  })
  expect(lines).toEqual([
    `\r\u001b[2K${'░'.repeat(30)}   0 %  posted`,
    `\r\u001b[2K${'█'.repeat(15)}${'░'.repeat(15)}  50 %  posted`,
    `\r\u001b[2K${'█'.repeat(30)} 100 %  posted`,
  ])
})

test('what looks the same is not drawn again', () => {
  const lines = drawn(true, (bar) => {
    for (let done = 0; done < 10; done++) bar.show('posted', done, 1000)
  })
  expect(lines).toHaveLength(1)
})

test('the end takes the line away, once', () => {
  const lines = drawn(true, (bar) => {
    bar.show('posted', 1, 2)
    bar.end()
    bar.end()
  })
  expect(lines.slice(1)).toEqual(['\r\u001b[2K'])
})

test('nothing to do is all done', () => {
  expect(drawn(true, (bar) => bar.show('posted', 0, 0)).join()).toContain('100 %')
})

test('away from a terminal nothing is drawn', () => {
  const lines = drawn(false, (bar) => {
    bar.show('posted', 1, 2)
    bar.end()
  })
  expect(lines).toEqual([])
})
