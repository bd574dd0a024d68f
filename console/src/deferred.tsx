import { signal } from '@preact/signals'
import type { FunctionComponent } from 'preact'
import { useEffect } from 'preact/hooks'

/** A component whose program is loaded when it is shown for the first time. */
export function deferred<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  const component = signal<{ readonly Loaded: FunctionComponent<Props> } | undefined>(undefined)
  const failed = signal(false)
  const start = () =>
    load().then(
      (Loaded) => {
        component.value = { Loaded }
      },
      () => {
        failed.value = true
      },
    )
  return (props) => {
    useEffect(() => {
      if (component.value === undefined) void start()
    }, [])
    if (component.value !== undefined) return <component.value.Loaded {...props} />
    return failed.value ? (
      <p class="notice unavailable" role="alert">
        This view cannot be loaded. Headgate may have been upgraded: load the page again.
      </p>
    ) : (
      <p class="empty">Loading …</p>
    )
  }
}
