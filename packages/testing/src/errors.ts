import { isObject, type Answer } from './answer.js';

/** Errors as the API answers them, and the checks of a request that lead to them. */
const TYPES = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

export function errorBody({ status = 500, error = {} }: Answer, requestId: string): string {
  const { code } = error;
  const body = {
    type: error.type ?? TYPES.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error'),
    message: error.message ?? `Simulated error ${status}`,
    ...(code === undefined ? {} : { details: { error_code: code } }),
  };
  return JSON.stringify({ type: 'error', error: body, request_id: requestId });
}

export function errorEvent({ error = {} }: Answer, requestId: string): object {
  const { type = 'api_error', message = 'Internal server error' } = error;
  return { type: 'error', error: { type, message }, request_id: requestId };
}

/** What the API would refuse, or `null`. */
export function refusalOf(
  headers: Readonly<Record<string, string>>,
  rawBody: string,
  body: unknown,
  required: readonly string[],
): Answer | null {
  if (!headers['x-api-key'] && !headers['authorization']) {
    return refuse(401, 'x-api-key header is required');
  }
  if (!isObject(body)) {
    return refuse(
      400,
      rawBody === '' ? 'request body is required' : 'The request body is not valid JSON',
    );
  }
  for (const field of required) {
    if (body[field] === undefined) return refuse(400, `${field}: Field required`);
  }
  const { max_tokens: limit, messages } = body;
  if (limit !== undefined && !(Number.isInteger(limit) && (limit as number) > 0)) {
    return refuse(400, 'max_tokens: Input should be greater than or equal to 1');
  }
  if (messages !== undefined && (!Array.isArray(messages) || messages.length === 0)) {
    return refuse(400, 'messages: at least one message is required');
  }
  return null;
}

export function refuse(status: number, message: string): Answer {
  return { status, error: { message } };
}
