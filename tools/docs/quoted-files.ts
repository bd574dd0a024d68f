const QUOTE = /(<!-- quoted: (\S+) -->\n(`{3,})\w*\n)[\s\S]*?^\3$/gm

/** A page with the files that it quotes as they are now: each stands in the code block below `<!-- quoted: PATH -->`. */
export const withQuotedFiles = (page: string, read: (path: string) => string): string =>
  page.replace(
    QUOTE,
    (_block, opening: string, path: string, fence: string) => `${opening}${read(path)}${fence}`,
  )

/** The paths of the files that a page quotes. */
export const quotedFiles = (page: string): string[] =>
  [...page.matchAll(QUOTE)].map(([, , path]) => String(path))
