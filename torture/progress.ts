const ERASE_LINE = '\r\u001b[2K'
const ON_A_TERMINAL = 500
const IN_A_LOG = 10_000

/** Shows a line again and again: in its place on a terminal, below the last one elsewhere. Returns what ends that. */
export function showProgress(line: () => string): () => void {
  const { isTTY } = process.stderr
  const write = isTTY
    ? () => process.stderr.write(`${ERASE_LINE}${line().slice(0, (process.stderr.columns ?? 80) - 1)}`)
    : () => process.stderr.write(`${line()}\n`)
  const timer = setInterval(write, isTTY ? ON_A_TERMINAL : IN_A_LOG)
  return () => {
    clearInterval(timer)
    if (isTTY) process.stderr.write(ERASE_LINE)
  }
}
