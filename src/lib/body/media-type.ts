/** A Content-Type (RFC 9110, 8.3.1). */
export interface MediaType {
  /** Type and subtype in lower case. */
  readonly type: string
  /** Every value of a parameter, by its lower-case name. */
  parameters(name: string): readonly string[]
}

const MEDIA_TYPE = /^([a-z0-9!#$%&'*+.^_`|~-]+\/[a-z0-9!#$%&'*+.^_`|~-]+)[ \t]*(?:;(.*))?$/is
/**
 * One parameter, or none between two semicolons (RFC 9110, 5.6.6). A quoted value may have semicolons in it. White space after a
 * value belongs to that value alone: if an empty value could have some, too, a header full of it would take a second to read.
 */
const PARAMETER =
  /[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"[ \t]*|([^\s";]+)[ \t]*)?)?(?:;|$)/gsy

/** Undefined if the text is none. */
export function mediaType(text: string): MediaType | undefined {
  const match = MEDIA_TYPE.exec(text)
  if (match === null) return undefined
  const [, type = '', rest = ''] = match
  return {
    type: type.toLowerCase(),
    parameters: (name) =>
      [...rest.matchAll(PARAMETER)].flatMap(([, found, quoted, plain = '']) =>
        found?.toLowerCase() === name ? [quoted?.replace(/\\(.)/gs, '$1') ?? plain] : [],
      ),
  }
}
