import { chatCompletions, openaiDialect } from '../openai/index.ts'
import { type Endpoint, type Provider } from '../provider.ts'
import { atAzure } from './deployment.ts'

const DEPLOYMENT = '/openai/deployments/{model}'
const V1 = '/openai/v1'

/** Below both: a deployment in the path, with an api-version, and the v1 API, which names it in the body. */
const calls = [chatCompletions].flatMap((endpoint) => [
  atAzure(endpoint(`${DEPLOYMENT}/chat/completions`)),
  atAzure(endpoint(`${V1}/chat/completions`)),
])

const models: Endpoint[] = ['/openai/models', `${V1}/models`].flatMap((path): Endpoint[] => [
  { kind: 'free', name: 'models', method: 'GET', path, served: 'models' },
  { kind: 'free', name: 'models', method: 'GET', path: `${path}/{model+}`, served: 'models' },
])

/** OpenAI's models at a resource of Azure's: called by the names of its deployments, in OpenAI's dialect. */
export const azure: Provider = {
  name: 'azure',
  title: 'Azure OpenAI',
  url: null,
  base: '/openai',
  atRoot: false,
  needsKey: true,
  deployments: true,
  pricesOf: ['azure', 'openai'],
  dialect: openaiDialect,
  endpoints: [...calls, ...models],
  credential: (apiKey) => ({ 'api-key': apiKey }),
}
