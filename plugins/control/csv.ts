import { stringify } from 'csv-stringify/sync'

/**
 * RFC 4180, with a byte order mark by which spreadsheets know UTF-8. Text that a spreadsheet would take for a formula
 * gets an apostrophe before it: names of models, users and tags come from outside. `text`: the columns that hold such.
 */
export function csvOf (columns: string[], rows: Record<string, unknown>[], text: string[]): string {
  const safe = rows.map((row) => ({ ...row, ...Object.fromEntries(text.map((name) => [name, harmless(row[name])])) }))
  return stringify(safe, { header: true, columns, bom: true, record_delimiter: '\r\n' })
}

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

function harmless (value: unknown): unknown {
  return typeof value === 'string' && FORMULA.test(value) ? `'${value}` : value
}
