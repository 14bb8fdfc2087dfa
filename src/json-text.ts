/** neither quotes, backslashes nor control characters, nor anything beyond ASCII */
const PLAIN = /^[ !#-[\]-~]*$/

/** A text as JSON, by `escape` where it is not plain. What each call writes mostly is, and seeing that is faster. */
export function quoted (text: string, escape: (text: string) => string = JSON.stringify): string {
  return PLAIN.test(text) ? `"${text}"` : escape(text)
}

export function quotedOrNull (text: string | null): string { return text === null ? 'null' : quoted(text) }
