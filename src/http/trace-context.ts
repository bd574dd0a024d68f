/**
 * W3C trace context as senders give it (https://www.w3.org/TR/trace-context/). Whatever a header has in it is a sender's
 * matter: what is not valid is as if it were not there, and never a reason to refuse an event.
 */

type Header = string | readonly string[] | undefined

const FIELDS = '(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})'
const VERSION_00 = new RegExp(`^00-${FIELDS}$`)
/** What a later version has behind these fields is not known, so version 00 goes on, with the flag that it knows. */
const LATER_VERSION = new RegExp(`^(?!ff)[0-9a-f]{2}-${FIELDS}(?:$|-)`)
const SAMPLED = 1

/** The trace and the span of the sender, in the form of version 00; undefined where there is none. */
export function traceparentOf(header: Header): string | undefined {
  if (typeof header !== 'string') return undefined
  if (VERSION_00.test(header)) return header
  if (header.startsWith('00')) return undefined
  const later = LATER_VERSION.exec(header)
  if (later === null) return undefined
  const [, trace, span, flags = ''] = later
  return `00-${trace}-${span}-0${Number.parseInt(flags, 16) & SAMPLED}`
}

/** What the specification asks to be passed on at least; longer ones would make records large. */
const LONGEST_STATE = 512
const MOST_MEMBERS = 32
/** A key as in level 2 of the specification, which allows a digit first and `@` anywhere behind it. */
const MEMBER = /^[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/
const SPACE_AROUND = /^[ \t]+|[ \t]+$/g

/** What tracing systems put beside their `traceparent`, as it came; undefined where there is none. */
export function tracestateOf(header: Header): string | undefined {
  if (typeof header !== 'string' || header === '' || header.length > LONGEST_STATE) return undefined
  const members = header.split(',')
  if (members.length > MOST_MEMBERS) return undefined
  let some = false
  for (const member of members) {
    const text = member.replace(SPACE_AROUND, '')
    if (text === '') continue
    if (!MEMBER.test(text)) return undefined
    some = true
  }
  return some ? header : undefined
}
