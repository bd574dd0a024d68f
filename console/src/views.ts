import type { FunctionComponent } from 'preact'
import { Acknowledgements } from './acknowledgements/acknowledgements.js'
import { deferred } from './deferred.js'
import { Events } from './events/events.js'
import { Letters } from './letters/letters.js'
import { Overview } from './overview/overview.js'
import { Try } from './try/try.js'
import type { ViewProps } from './view-props.js'

/** The views in the order of the navigation, each at `#/NAME`. The first is shown if the address names none. */
export const VIEWS: readonly {
  readonly name: string
  readonly title: string
  readonly View: FunctionComponent<ViewProps>
}[] = [
  { name: 'overview', title: 'Overview', View: Overview },
  { name: 'events', title: 'Events', View: Events },
  { name: 'dead-letters', title: 'Dead letters', View: Letters },
  { name: 'acknowledgements', title: 'Acknowledgements', View: Acknowledgements },
  { name: 'try', title: 'Try', View: Try },
  {
    name: 'config',
    title: 'Config',
    // The editor is larger than everything else.
    View: deferred(async () => (await import('./config/config.js')).Config),
  },
]
