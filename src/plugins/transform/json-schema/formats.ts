import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'
import { fullFormats } from 'ajv-formats/dist/formats.js'

type Test = (text: string) => boolean

/** Those of ajv-formats that are as strict as the RFCs and take linear time, measured on adversarial texts of one MiB. */
function ofAjv(
  name: 'uri' | 'uri-reference' | 'uri-template' | 'json-pointer' | 'relative-json-pointer',
): Test {
  const format = fullFormats[name]
  return format instanceof RegExp ? (text) => format.test(text) : (format as Test)
}

/** To ajv, the second slash before a host that is none begins a path. */
const hasHost = (text: string): boolean => {
  const [, authority] = /^(?:[^:/?#]*:)?\/\/([^/?#]*)/.exec(text) ?? []
  return authority === undefined || /^(?:[^@]*@)?(?:\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/.test(authority)
}

const uri: Test = (text) => ofAjv('uri')(text) && hasHost(text)
const uriReference: Test = (text) => ofAjv('uri-reference')(text) && hasHost(text)

/** The formats of the drafts, each by the standard that they name. Any other format asserts nothing. */
export const FORMATS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['date-time', (text) => isDateTime(text)],
  ['date', (text) => isDate(text)],
  ['time', (text) => isTime(text)],
  ['duration', isDuration],
  ['email', isEmail],
  ['idn-email', (text) => isEmail(text, true)],
  ['hostname', isHostname],
  ['idn-hostname', isIdnHostname],
  ['ipv4', isIPv4],
  ['ipv6', (text) => isIPv6(text) && !text.includes('%')],
  ['uri', uri],
  ['uri-reference', uriReference],
  ['iri', (text) => isIri(text, uri)],
  ['iri-reference', (text) => isIri(text, uriReference)],
  ['uri-template', ofAjv('uri-template')],
  ['uuid', (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)],
  ['json-pointer', ofAjv('json-pointer')],
  ['relative-json-pointer', ofAjv('relative-json-pointer')],
  ['regex', isRegex],
])

/** RFC 3339 with lower-case letters and leap seconds; an offset has both hours and minutes. */
const DATE_TIME = /^\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d(?:\.\d+)?(?:z|[+-]\d\d:\d\d)$/i
const TIME = /^\d\d:\d\d:\d\d(?:\.\d+)?(?:z|[+-]\d\d:\d\d)$/i
const DATE = /^\d{4}-\d\d-\d\d$/
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const ZERO = 0x30

const isDateTime = (text: string): boolean => DATE_TIME.test(text) && isDay(text) && isMoment(text, 11)
const isDate = (text: string): boolean => DATE.test(text) && isDay(text)
const isTime = (text: string): boolean => TIME.test(text) && isMoment(text, 0)

const twoDigits = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO

function isDay(text: string): boolean {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0))
}

function isMoment(text: string, at: number): boolean {
  const hour = twoDigits(text, at)
  const minute = twoDigits(text, at + 3)
  const second = twoDigits(text, at + 6)
  const sign = text.charAt(text.length - 6)
  const hasOffset = sign === '+' || sign === '-'
  const offsetHour = hasOffset ? twoDigits(text, text.length - 5) : 0
  const offsetMinute = hasOffset ? twoDigits(text, text.length - 2) : 0
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false
  // A leap second ends a day of UTC.
  const offset = (offsetHour * 60 + offsetMinute) * (sign === '-' ? -1 : 1)
  return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 === 1439
}

/** RFC 3339, appendix A: no unit may be left out between two others. */
function isDuration(text: string): boolean {
  return /^P(?:\d+W|(?=\d|T\d)(?:\d+D|\d+M(?:\d+D)?|\d+Y(?:\d+M(?:\d+D)?)?)?(?:T(?:\d+S|\d+M(?:\d+S)?|\d+H(?:\d+M(?:\d+S)?)?))?)$/.test(
    text,
  )
}

/** RFC 5321 with its quoted local parts and address literals. `wide`: RFC 6531, which lets other letters in. */
function isEmail(text: string, wide = false): boolean {
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(0, at))
  const domain = text.slice(at + 1)
  const other = wide ? '\\u0080-\\u{10ffff}' : ''
  const atom = `[a-z0-9!#$%&'*+/=?^_\`{|}~${other}-]+`
  const quoted = `"(?:[ !#-\\[\\]-~${other}]|\\\\[ -~])*"`
  if (
    local.length > 64 * (wide ? 4 : 1) ||
    !new RegExp(`^(?:${atom}(?:\\.${atom})*|${quoted})$`, 'iu').test(local)
  )
    return false
  const [, v6, v4] = /^\[(?:IPv6:(.*)|(.*))\]$/i.exec(domain) ?? []
  if (v6 !== undefined) return isIPv6(v6) && !v6.includes('%')
  if (v4 !== undefined) return isIPv4(v4)
  return wide ? isIdnHostname(domain) : isHostname(domain)
}

const MAX_HOSTNAME = 253
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** RFC 1123; an internationalized label must be one that RFC 5891 can decode. */
function isHostname(text: string): boolean {
  if (text.length > MAX_HOSTNAME) return false
  const labels = text.split('.')
  return labels.every((label) => {
    if (!LABEL.test(label)) return false
    if (label.slice(2, 4) !== '--') return true
    return /^xn--/i.test(label) && domainToASCII(label) !== ''
  })
}

function isIdnHostname(text: string): boolean {
  // Written in ASCII, no label gets shorter.
  if (text.length > 2 * MAX_HOSTNAME) return false
  const ascii = domainToASCII(text.replaceAll(/[\u3002\uff0e\uff61]/g, '.'))
  if (ascii === '' || !isHostname(ascii)) return false
  return domainToUnicode(ascii)
    .split('.')
    .every((label, index) => label === ascii.split('.')[index] || isULabel(label))
}

/** RFC 5892: the characters that pass IDNA's mapping and tables, but not the rules for contexts and exceptions. */
const isULabel = (label: string): boolean =>
  label.slice(2, 4) !== '--' &&
  !/[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/.test(label) &&
  !/(?<!l)\u00b7|\u00b7(?!l)/.test(label) &&
  !/\u0375(?!\p{Script=Greek})/u.test(label) &&
  !/(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u.test(label) &&
  (!label.includes('\u30fb') ||
    /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(label.replaceAll('\u30fb', '')))

/** RFC 3987: beyond RFC 3986, it only adds characters that are percent-encoded there. */
function isIri(text: string, isUri: Test): boolean {
  return isUri(
    text.replaceAll(/[\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]|[\ud800-\udb7f][\udc00-\udfff]/g, '%C3'),
  )
}

function isRegex(text: string): boolean {
  try {
    return new RegExp(text, 'u') !== undefined
  } catch {
    return false
  }
}
