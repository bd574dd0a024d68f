/**
 * A JSON number with all its digits: 0.digits times ten to the power of `point`. The cost of each operation depends on the number
 * of digits, and not on the exponent.
 */
export class Decimal {
  private constructor(
    readonly negative: boolean,
    /** Without zeros at either end; empty for zero. */
    readonly digits: string,
    readonly point: number,
    /** As it was written. */
    readonly source: string,
  ) {}

  /** `text` is a number of JSON. */
  static parse(text: string): Decimal {
    const negative = text.startsWith('-')
    const [mantissa = '', exponent = '0'] = text.slice(negative ? 1 : 0).split(/[eE]/)
    const [whole = '', fraction = ''] = mantissa.split('.')
    const all = whole + fraction
    const zeros = /^0*/.exec(all)?.[0].length ?? 0
    const digits = trimZeros(all.slice(zeros))
    return digits === ''
      ? new Decimal(false, '', 0, text)
      : new Decimal(negative, digits, whole.length - zeros + clamp(Number(exponent)), text)
  }

  static of(value: number | Decimal): Decimal {
    return value instanceof Decimal ? value : Decimal.parse(String(value))
  }

  /** The same text for equal numbers, and different texts for different numbers. */
  get text(): string {
    return `${this.negative ? '-' : ''}0.${this.digits}e${this.point}`
  }

  get isInteger(): boolean {
    return this.digits.length <= Math.max(0, this.point)
  }

  /** Negative if this number is the smaller one. */
  compare(other: Decimal): number {
    const sign = Math.sign(signOf(this) - signOf(other))
    if (sign !== 0) return sign
    return this.negative ? -magnitude(this, other) : magnitude(this, other)
  }

  isMultipleOf(divisor: Decimal): boolean {
    if (this.digits === '') return true
    // Neither ends in a zero, so a divisor with fewer decimal places leaves a remainder.
    const shift = this.point - this.digits.length - (divisor.point - divisor.digits.length)
    if (shift < 0) return false
    const modulus = BigInt(divisor.digits)
    return (remainder(this.digits, modulus) * power(shift, modulus)) % modulus === 0n
  }
}

/** Beyond this, arithmetic on the exponents would no longer be exact. */
const MOST_EXPONENT = 1e15

const clamp = (exponent: number): number => Math.max(-MOST_EXPONENT, Math.min(MOST_EXPONENT, exponent))

function trimZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

const signOf = ({ negative, digits }: Decimal): number => (digits === '' ? 0 : negative ? -1 : 1)

const magnitude = (a: Decimal, b: Decimal): number =>
  Math.sign(a.point - b.point) || (a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1)

const CHUNK = 15
const CHUNK_FACTOR = 10n ** 15n

/** Takes linear time, which BigInt does not guarantee for a million digits. */
function remainder(digits: string, modulus: bigint): bigint {
  let rest = 0n
  for (let at = 0; at < digits.length; at += CHUNK) {
    const chunk = digits.slice(at, at + CHUNK)
    const factor = chunk.length === CHUNK ? CHUNK_FACTOR : BigInt(10 ** chunk.length)
    rest = (rest * factor + BigInt(Number(chunk))) % modulus
  }
  return rest
}

/** Ten to the power of `exponent`, by squaring. */
function power(exponent: number, modulus: bigint): bigint {
  let result = 1n % modulus
  let square = 10n % modulus
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

/** Whether two numbers of JSON are equal, in any notation. */
export const isSameNumber = (a: string, b: string): boolean =>
  a === b || Decimal.parse(a).text === Decimal.parse(b).text
