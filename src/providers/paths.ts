/**
 * Paths as providers have them, from their host on, e.g. `/v1/chat/completions` or
 * `/v1beta/models/{model}:generateContent`. `{name}` stands for a part of one segment, made of what names of models
 * are made of, so that no spelling of it leads to another path; `{name+}` for whatever there is, where nothing of it
 * goes upstream.
 */
export interface PathTemplate {
  /** a path as it came, raw; null: it is another one. Values are decoded. */
  match (path: string): Record<string, string> | null
  /** the path with these values; the name of a placeholder that is left out stays */
  fill (values: Readonly<Record<string, string>>): string
}

const PLACEHOLDER = /\{(\w+)(\+?)\}/
/** percent-encoded may only be what names of models have: a colon, a slash (Bedrock's ARNs), an at sign */
const NAME = '((?:[A-Za-z0-9._~@:-]|%3[Aa]|%2[Ff]|%40){1,500})'
const ANYTHING = '(.+)'

export function hasPlaceholder (template: string): boolean { return PLACEHOLDER.test(template) }

export function pathTemplate (template: string): PathTemplate {
  const names: string[] = []
  let pattern = ''
  let free = false
  template.split(/(\{\w+\+?\})/).forEach((piece) => {
    const placeholder = PLACEHOLDER.exec(piece)
    if (placeholder === null) {
      pattern += piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      return
    }
    names.push(placeholder[1] as string)
    free ||= placeholder[2] === '+'
    pattern += placeholder[2] === '+' ? ANYTHING : NAME
  })
  const expression = new RegExp(`^${pattern}$`)
  return {
    match (path) {
      const found = expression.exec(path)
      if (found === null) return null
      const values: Record<string, string> = {}
      for (let i = 0; i < names.length; i++) {
        const value = decoded(found[i + 1] as string)
        if (value === null || (!free && value.includes('..')) || value === '.') return null
        values[names[i] as string] = value
      }
      return values
    },
    fill: (values) => template.replace(/\{(\w+)\+?\}/g, (whole, name: string) => {
      const value = values[name]
      return value === undefined ? whole : encodeURIComponent(value)
    }),
  }
}

function decoded (text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
