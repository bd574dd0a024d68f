import type { Dispatcher } from 'undici'

/** What counts of an answer. */
export interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
}

/** Answers are small; a connection that brings more than this is dropped. Bytes. */
export const MAX_ANSWER = 64 * 1024

/**
 * Sends a request and resolves with the head of the answer; the body is read and thrown away, for `timeout`
 * milliseconds at most, so that the connection can be used again. Rejects where there is no answer.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  timeout: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new HeadOnly(resolve, reject, timeout))
  })
}

/** Why there was no answer, without the address: addresses come from config providers and stay out of logs. */
export function networkReason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown'
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name
}

/** One for each request: methods on a prototype, and no stream for a body that nobody reads. */
class HeadOnly implements Dispatcher.DispatchHandler {
  private bodyDeadline = 0

  constructor(
    private readonly resolve: (answer: Answer) => void,
    private readonly reject: (error: Error) => void,
    private readonly timeout: number,
  ) {}

  /** That it is there tells undici which of its two handler interfaces this is. */
  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: { readonly [name: string]: string | readonly string[] | undefined },
  ): void {
    if (status < 200) return
    this.bodyDeadline = performance.now() + this.timeout
    const header = headers['retry-after']
    this.resolve({ status, retryAfter: typeof header === 'object' ? header[0] : header })
  }

  onResponseData(controller: Dispatcher.DispatchController): void {
    if (performance.now() > this.bodyDeadline) controller.abort(new Error('The answer does not end.'))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // Changes nothing once the status is known: a body that breaks off takes nothing back.
    this.reject(error)
  }
}
