/**
 * The keywords by which the settings of a plugin say what is secret: `secret: true` on a text or a list of texts,
 * `secretNames: '<pattern>'` on an object of which only some members are.
 */
export const SECRET_KEYWORDS = ['secret', 'secretNames'] as const
