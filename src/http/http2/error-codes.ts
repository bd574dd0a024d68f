/** The codes of RFC 9113, 7 that a listener sends. */
export const NO_ERROR = 0x0
export const SETTINGS_TIMEOUT = 0x4
export const REFUSED_STREAM = 0x7
export const CANCEL = 0x8
export const ENHANCE_YOUR_CALM = 0xb
