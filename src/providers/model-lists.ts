import { type FreeEndpoint } from './provider.ts'

/** The lists of models, from the catalog. */
export function modelLists (base: string): FreeEndpoint[] {
  return [
    { kind: 'free', name: 'models', method: 'GET', path: `${base}/models`, served: 'models' },
    { kind: 'free', name: 'models', method: 'GET', path: `${base}/models/{model+}`, served: 'models' },
  ]
}
