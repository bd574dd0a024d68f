/** A progress bar on one line. */
export interface Progress {
  show(label: string, done: number, total: number): void
  /** Removes the line. */
  end(): void
}

const WIDTH = 30
const ERASE_LINE = '\r\u001b[2K'

/** Draws through `write` if the output is a terminal, and nothing otherwise: a progress bar is useless in a log. */
export function progressBar(write: (text: string) => void, terminal: boolean): Progress {
  if (!terminal) return { show() {}, end() {} }
  let shown = ''
  return {
    show(label, done, total) {
      const filled = total === 0 ? WIDTH : Math.floor((done / total) * WIDTH)
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
      const line = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(percent).padStart(3)} %  ${label}`
      if (line === shown) return
      shown = line
      write(`${ERASE_LINE}${line}`)
    },
    end() {
      if (shown !== '') write(ERASE_LINE)
      shown = ''
    },
  }
}
