import type { Parameter } from './parameters.js';
import { SCHEMAS, type JsonSchema } from './schemas.js';

/** What a route says about itself. All are `GET`, and `HEAD` with it. */
export interface RouteDescription {
  /** Below the mount. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly answer: {
    readonly type: string;
    readonly description: string;
    readonly schema: JsonSchema;
  };
}

/** OpenAPI 3.1 of the routes, made from the same data that serves them. */
export function describe(routes: readonly RouteDescription[]): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'claude-metrics',
      version: '1',
      description: 'Cost, latency, errors and usage of Claude calls. Read-only; times are UTC.',
    },
    servers: [{ url: './' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths: Object.fromEntries(routes.map((route) => [route.path, { get: operation(route) }])),
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'claude-metrics',
          description:
            'Set by opening the page once with ?token=…; on a port, `claude-metrics-PORT`.',
        },
      },
    },
  };
}

function operation(route: RouteDescription): Record<string, unknown> {
  const problem = { 'application/problem+json': { schema: ref('Problem') } };
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: route.parameters.map(({ name, description, schema }) => ({
      name,
      in: 'query',
      required: false,
      description,
      schema,
    })),
    responses: {
      200: {
        description: route.answer.description,
        content: { [route.answer.type]: { schema: route.answer.schema } },
      },
      400: { description: 'The query cannot be answered; says why.', content: problem },
      401: { description: 'No valid token (outside production).' },
      403: { description: '`authorize` did not allow it (outside production).' },
      404: { description: 'Closed in production, or no such path.' },
      500: { description: 'The numbers could not be read.', content: problem },
    },
  };
}

function ref(name: string): Record<string, string> {
  return { $ref: `#/components/schemas/${name}` };
}
