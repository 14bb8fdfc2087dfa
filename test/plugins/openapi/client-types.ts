import openapiTS, { astToString } from 'openapi-typescript'

const HEAD = '/** Generated from openapi.json; see README.md here. */\n'

/** The types of src/client/api.ts. `description`: the text of openapi.json. */
export async function clientTypes (description: string): Promise<string> {
  return HEAD + astToString(await openapiTS(description))
}
