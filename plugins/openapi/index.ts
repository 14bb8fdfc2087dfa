import fp from 'fastify-plugin'
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { type FastifyInstance, type FastifyPluginOptions } from 'fastify'
import { withComponents } from './components.ts'

/**
 * Describes the routes that are registered beside it, after it: the description itself under `base`, and an interactive
 * reference at `/docs`. Everything that the page loads comes from here; its policy lets a browser load nothing else.
 */
export interface OpenApiOptions extends FastifyPluginOptions {
  version: string
  /** path under which the routes are, e.g. /api/v1 */
  base: string
  tags: { name: string, description: string }[]
  /** what of a route its schemas do not say */
  describeRoute: NonNullable<FastifyDynamicSwaggerOptions['transform']>
}

const POLICY = {
  'default-src': '\'none\'',
  'script-src': '\'self\'',
  // the page's own widgets set their size
  'style-src': '\'self\' \'unsafe-inline\'',
  'img-src': '\'self\' data:',
  'connect-src': '\'self\'',
  'base-uri': '\'none\'',
  'form-action': '\'none\'',
  'frame-ancestors': '\'none\'',
}

async function openapi (app: FastifyInstance, { version, base, tags, describeRoute }: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'RelayCore Budget Gateway',
        version,
        description: 'Budgets for AI spend: definitions, status, usage, keys. Amounts are decimal strings with a currency, ' +
          'times are RFC 3339 in UTC. Errors are problem+json (RFC 9457) with a stable `code`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: `${app.prefix}${base}` }],
      tags,
      components: {
        securitySchemes: { adminToken: { type: 'http', scheme: 'bearer', description: 'An admin token, made by `relaycore admin-token rotate`.' } },
      },
      security: [{ adminToken: [] }],
    },
    transform: describeRoute,
    transformObject: (document) => 'openapiObject' in document ? withComponents(document.openapiObject) : document.swaggerObject,
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: app.prefix,
    staticCSP: POLICY,
    theme: { title: 'RelayCore API' },
    uiConfig: { tryItOutEnabled: true, deepLinking: true, displayRequestDuration: true },
  })
  app.get(`${base}/openapi.json`, { schema: { hide: true } }, async () => app.swagger())
}

export default fp(openapi, { name: 'relaycore-openapi', fastify: '5.x' })
