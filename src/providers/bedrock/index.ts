import { type AnswerHead, type BillableEndpoint, type CallRequest, type Dialect, type Provider } from '../provider.ts'
import { changedConverse, readConverse } from './converse.ts'
import { renderBedrockRefusal } from './errors.ts'
import { changedInvoke, meterInvoke, readInvoke } from './invoke.ts'
import { meterConverse } from './meter.ts'
import { catalogName } from './names.ts'
import { credentialsOf, signerFor } from './sign.ts'

/** AWS's own: refusals are exceptions that its SDKs know. */
export const bedrockDialect: Dialect = {
  name: 'bedrock',
  speaks: () => false,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify({ modelDetails: { modelId: id } }) : null
    return JSON.stringify({ modelSummaries: models.map((modelId) => ({ modelId })) })
  },
  renderRefusal: renderBedrockRefusal,
  rateHeaders: () => ({}),
}

function converse (path: string, stream: boolean): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'converse',
    method: 'POST',
    path,
    about: {
      model: 'a model, an inference profile or an ARN, in the path',
      output: '`inferenceConfig.maxTokens`',
      usage: stream ? '`usage` of the frame `metadata`' : '`usage`',
    },
    read: (body, bytes, target) => readConverse(body, bytes, target, stream),
    forwardBody: (_call, body, bytes, changes) => changedConverse(body, bytes, changes),
    meter: (call: CallRequest, answer: AnswerHead) => meterConverse(call, answer),
  }
}

function invoke (path: string, stream: boolean): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'invoke',
    method: 'POST',
    path,
    about: {
      model: 'as above; bodies of Anthropic, Amazon Nova, Meta Llama and Mistral',
      output: '`max_tokens`, `inferenceConfig.maxTokens`, `max_gen_len`',
      usage: stream ? 'events of the model\'s own, or `amazon-bedrock-invocationMetrics`' : '`usage`, else `x-amzn-bedrock-*-token-count`',
    },
    read: (body, bytes, target) => readInvoke(body, bytes, target, stream),
    forwardBody: changedInvoke,
    meter: meterInvoke,
  }
}

/** Amazon Bedrock's runtime, in one region. */
export const bedrock: Provider = {
  name: 'bedrock',
  title: 'Amazon Bedrock',
  url: null,
  base: '',
  atRoot: false,
  needsKey: true,
  dialect: bedrockDialect,
  catalogName,
  endpoints: [
    converse('/model/{model}/converse', false),
    converse('/model/{model}/converse-stream', true),
    invoke('/model/{model}/invoke', false),
    invoke('/model/{model}/invoke-with-response-stream', true),
    { kind: 'free', name: 'count_tokens', method: 'POST', path: '/model/{model}/count-tokens', served: 'forward' },
    { kind: 'free', name: 'models', method: 'GET', path: '/foundation-models', served: 'models' },
    { kind: 'free', name: 'models', method: 'GET', path: '/foundation-models/{model+}', served: 'models' },
  ],
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
  fromEnv (env, { region: set, url }) {
    const region = set ?? regionIn(url) ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']
    if (region === undefined || !/^[a-z0-9-]{1,32}$/.test(region)) return { url: null, sign: null, missing: REGION }
    const credentials = credentialsOf(env)
    return {
      url: `https://bedrock-runtime.${region}.amazonaws.com`,
      sign: credentials === null ? null : signerFor(region, credentials),
      missing: CREDENTIAL,
    }
  },
}

const REGION = 'providers.bedrock.region or AWS_REGION'
const CREDENTIAL = 'RELAYCORE_BEDROCK_API_KEY or AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'

/** of an address of AWS's own */
function regionIn (url: string | null): string | undefined {
  return url === null ? undefined : /\bbedrock-runtime(?:-fips)?\.([a-z0-9-]+)\./.exec(url)?.[1]
}
