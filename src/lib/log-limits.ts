/** Says how often something happened, a line a minute at most: what a stranger can cause does not stop at one. */
export function onceAMinute(say: (count: number) => void): () => void {
  let count = 0
  let quietUntil = Number.NEGATIVE_INFINITY
  return () => {
    count++
    // The wall clock may be set back: then nothing would be said for as long.
    const now = performance.now()
    if (now < quietUntil) return
    say(count)
    count = 0
    quietUntil = now + 60_000
  }
}
