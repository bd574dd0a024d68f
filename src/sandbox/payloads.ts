import type { RouteName } from './routes.js'

/** A payload as JSON text; `n` makes it unlike all others, `text` (free of quotes) gives it a size. */
type Payload = (n: number, text: string) => string

/**
 * Payloads by the route they belong to. Written as text because that is what has to arrive: a round trip through
 * JSON.parse would change the integers over 2^53, `1.0`, the order of numeric keys, the escapes and the white space.
 */
export const PAYLOADS: Readonly<Record<RouteName, readonly [Payload, ...Payload[]]>> = {
  'high-priority': [
    (n, text) => `{"priority":"high","region":"us-east","amount":129.50,"caseNumber":${n},"text":"${text}"}`,
    // The first rule that matches wins, also over the region.
    (n, text) =>
      `{ "region" : "eu-west",\r\n\t"priority" :\n  "high" , "caseNumber":${n}, "text": "${text}" }`,
    (n, text) =>
      `{"case":{"number":${n},"priority":"high"},"ids":[9007199254740993,-9007199254740995],"text":"${text}"}`,
    (n, text) =>
      `{"priority":"hi\\u0067h","caf\\u00e9":"\\ud83d\\ude80 \\/ \\t","caseNumber":${n},"text":"${text}"}`,
  ],
  'eu-west': [
    (n, text) => `{"region":"eu-west","priority":"normal","total":1.0,"caseNumber":${n},"text":"${text}"}`,
    (n, text) =>
      `{"z":1,"10":"ten","2":"two","a":{"y":0.10,"b":null},"region":"eu-west","caseNumber":${n},"text":"${text}"}`,
    (n, text) => `{"region":"eu\\u002dwest","city":"Zürich – 東京 🚀","caseNumber":${n},"text":"${text}"}`,
    (n, text) =>
      `{"__proto__":{"region":"us"},"region":"eu-west","limit":1E400,"zero":-0,"caseNumber":${n},"text":"${text}"}`,
  ],
  otherwise: [
    (n, text) => `{"region":"us-east","priority":"normal","caseNumber":${n},"text":"${text}"}`,
    (n, text) => `{"region":"eu-west-2","priority":"highest","caseNumber":${n},"text":"${text}"}`,
    (n, text) => `{"note":"\\"priority\\":\\"high\\" is only quoted","caseNumber":${n},"text":"${text}"}`,
    (n, text) =>
      `{"customer":{"region":"eu-west"},"same":1,"same":2.00,"caseNumber":12345678901234567890${n},"text":"${text}"}`,
    () => '{}',
  ],
}
