import { render } from 'preact'
import { App } from './app.js'
import './style/palette.css'
import './style/base.css'
import './style/frame.css'
import './overview/overview.css'
import './events/events.css'
import './letters/letters.css'
import './acknowledgements/acknowledgements.css'
import './try/try.css'

render(<App />, document.getElementById('app') as HTMLElement)
