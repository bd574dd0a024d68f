/** An instance that is active, as it describes itself to the others. */
export interface ActiveInstance {
  readonly host: string
  /** The id of its process. */
  readonly pid: number
  /** When it became active, in ISO 8601. */
  readonly since: string
}

/** Which instance takes the events of a pipeline, as far as this one knows. */
export type InstanceState =
  /** This one. */
  | { readonly kind: 'active'; readonly since: string }
  /** This one; the cluster cannot tell whether another one does, too. */
  | { readonly kind: 'unguarded' }
  | { readonly kind: 'standby'; readonly active: ActiveInstance }
  | { readonly kind: 'undecided' }

/**
 * The instances of a pipeline whose events only one of them may take at a time: that one is active, the others are standbys. The
 * cluster decides which one it is, and replaces one that is silent.
 */
export interface InstanceGroup {
  /**
   * Joins the others, under an id that no other instance has: a restarted instance comes back under its own at once. `onLost` is
   * called when another instance may have become the active one; this one still tries to become active again.
   */
  join(id: string, onLost: () => void): void
  /**
   * Resolves when this instance is active, has left, or `signal` is aborted; with true if another one was active in the meantime,
   * whose last records may still be on their way.
   */
  active(signal: AbortSignal): Promise<boolean>
  /** False from the moment on at which another instance may be active. Called for each event. */
  isActive(): boolean
  /** Why this instance is not active, in one sentence that names the active one. */
  reason(): string
  /** For operators. */
  state(): InstanceState
  /**
   * Asks the cluster for nothing more, because the client of another sink takes its place under the same id. Resolves when this
   * one is no longer active: it has left, or its session has ended.
   */
  retire(): Promise<void>
  /**
   * Leaves the others. `toSuccessor`: a process with the same id comes at once, and must find the place of this one; without it,
   * a standby takes over now.
   */
  leave(toSuccessor: boolean): Promise<void>
}
