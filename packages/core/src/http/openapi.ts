import type { Parameter } from './parameters.js';
import { SCHEMAS } from './schemas.js';
import { object, ref, type JsonSchema } from './shape.js';

/** What a route says about itself. */
export interface RouteDescription {
  /** `GET` has `HEAD` with it, and changes nothing. */
  readonly method: 'GET' | 'POST';
  /** Below the mount; `{name}` stands for one part of it. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Of the query. */
  readonly parameters: readonly Parameter[];
  /** Fields of a `POST`, in its two forms; none is required but those that are named. */
  readonly body?: Readonly<Record<'json' | 'form', Readonly<Record<string, JsonSchema>>>> & {
    readonly required?: readonly string[];
  };
  /** For users of the application, who have neither token nor session. */
  readonly isForUsers?: boolean;
  /** By status, where it differs from what all routes have: `null` is left out. */
  readonly responses?: Readonly<Record<number, Readonly<Record<string, unknown>> | null>>;
  readonly answer: {
    /** Default 200. */
    readonly status?: number;
    readonly type: string;
    /** Another type that the same may come in. */
    readonly alternative?: string;
    readonly description: string;
    readonly schema: JsonSchema;
  };
}

/** OpenAPI 3.1 of the routes, made from the same data that serves them. */
export function describe(routes: readonly RouteDescription[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'claude-metrics',
      version: '1',
      description: 'Cost, latency, errors, usage, budgets and alerts of Claude. Times are UTC.',
    },
    servers: [{ url: './' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
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

export const problem = { 'application/problem+json': { schema: ref('Problem') } };

function operation(route: RouteDescription): Record<string, unknown> {
  const { body } = route;
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: [...partsOf(route.path), ...route.parameters.map(queryParameter)],
    ...(body && { requestBody: requestBody(body) }),
    ...(route.isForUsers && { security: [] }),
    responses: Object.fromEntries(
      Object.entries({ ...responsesOf(route), ...route.responses }).filter(([, each]) => each),
    ),
  };
}

function responsesOf({ answer, body }: RouteDescription): Record<number, object | null> {
  return {
    [answer.status ?? 200]: {
      description: answer.description,
      content: {
        [answer.type]: { schema: answer.schema },
        ...(answer.alternative && { [answer.alternative]: { schema: answer.schema } }),
      },
    },
    ...(body && { 303: { description: 'A form was sent: back to the page.' } }),
    400: { description: 'The query or body cannot be answered; says why.', content: problem },
    401: { description: 'No valid token (outside production).' },
    403: body
      ? { description: 'Another site sent it, or `authorize` said no.', content: problem }
      : { description: '`authorize` did not allow it (outside production).' },
    404: { description: 'Closed in production, or nothing of that name.' },
    ...(body && {
      413: { description: 'The body is too long.', content: problem },
      415: { description: 'The body is of another type.', content: problem },
    }),
    500: { description: 'The numbers could not be read.', content: problem },
  };
}

function queryParameter({ name, description, schema }: Parameter): Record<string, unknown> {
  return { name, in: 'query', required: false, description, schema };
}

function partsOf(path: string): Record<string, unknown>[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 16, maxLength: 16 },
  }));
}

function requestBody({ json, form, required = [] }: NonNullable<RouteDescription['body']>) {
  const schema = (fields: Readonly<Record<string, JsonSchema>>) => ({
    schema: object(
      fields,
      Object.keys(fields).filter((name) => !required.includes(name)),
    ),
  });
  return {
    required: required.length > 0,
    content: {
      'application/json': schema(json),
      'application/x-www-form-urlencoded': schema(form),
    },
  };
}
