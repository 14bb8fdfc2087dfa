import { embeddings } from '../openai/embeddings.ts'
import { chatCompletions, completions, openaiDialect, responses } from '../openai/index.ts'
import { imageEdits, images } from '../openai/images.ts'
import { speech } from '../openai/speech.ts'
import { transcriptions, translations } from '../openai/transcriptions.ts'
import { type Endpoint, type Provider } from '../provider.ts'
import { atAzure } from './deployment.ts'

const DEPLOYMENT = '/openai/deployments/{model}'
const V1 = '/openai/v1'

/** Below both: a deployment in the path, with an api-version, and the v1 API, which names it in the body. */
const calls = [DEPLOYMENT, V1].flatMap((base) => [
  atAzure(chatCompletions(`${base}/chat/completions`, { fields: { sounds: true } })),
  atAzure(completions(`${base}/completions`)),
  atAzure(embeddings(`${base}/embeddings`)),
  atAzure(images(`${base}/images/generations`)),
  atAzure(imageEdits(`${base}/images/edits`)),
  atAzure(speech(`${base}/audio/speech`)),
  atAzure(transcriptions(`${base}/audio/transcriptions`)),
  atAzure(translations(`${base}/audio/translations`)),
])
const answers = ['/openai', V1].map((base) => atAzure(responses(`${base}/responses`)))

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
  endpoints: [...calls, ...answers, ...models],
  credential: (apiKey) => ({ 'api-key': apiKey }),
}
