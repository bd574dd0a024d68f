/** How to have an error code or the name of a warning explained. The pages in docs/ are not always at hand; the command is. */
export const explainWith = (code: string): string => `headgate help ${code}`
