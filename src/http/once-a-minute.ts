/** Says how often something happened, a line a minute at most: what a stranger can cause does not stop at one. */
export function onceAMinute(say: (count: number) => void): () => void {
  let count = 0
  let quietUntil = 0
  return () => {
    count++
    if (Date.now() < quietUntil) return
    say(count)
    count = 0
    quietUntil = Date.now() + 60_000
  }
}
