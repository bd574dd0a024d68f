import type { ComponentChildren, Ref } from 'preact'

interface ScrollableProps {
  /** Names it for readers of screens. */
  readonly label: string
  readonly class?: string
  readonly frame?: Ref<HTMLElement>
  readonly children: ComponentChildren
}

/** A part of a page that scrolls by itself, by keyboard too. */
export const Scrollable = ({ label, class: name = 'scroll', frame = null, children }: ScrollableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: axe asks for it (scrollable-region-focusable)
  <section class={name} aria-label={label} tabIndex={0} ref={frame}>
    {children}
  </section>
)

interface PreformattedProps {
  readonly label: string
  readonly children: ComponentChildren
}

/** A text with its own lines, which scrolls in the same way. */
export const Preformatted = ({ label, children }: PreformattedProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: axe asks for it (scrollable-region-focusable)
  // biome-ignore lint/a11y/useAriaPropsSupportedByRole: names the text for readers of screens
  <pre tabIndex={0} aria-label={label}>
    {children}
  </pre>
)
