import { isObject, type Answer, type SimulatedError } from './answer.js';

/** Errors as the API answers them, and the checks of a request that lead to them. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

export function errorBody({ status = 500, error = {} }: Answer, requestId: string): string {
  const type = TYPES.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return JSON.stringify(failureOf(error, type, `Simulated error ${status}`, requestId));
}

export function errorEvent({ error = {} }: Answer, requestId: string): object {
  return failureOf(error, 'api_error', 'Internal server error', requestId);
}

function failureOf(
  error: SimulatedError,
  type: string,
  message: string,
  requestId: string,
): object {
  const { code } = error;
  const body = {
    type: error.type ?? type,
    message: error.message ?? message,
    ...(code === undefined ? {} : { details: { error_code: code } }),
  };
  return { type: 'error', error: body, request_id: requestId };
}

/** The status that an error of a type comes with. */
export function statusOfType(type: unknown): number {
  for (const [status, of] of TYPES) if (of === type) return status;
  return 500;
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
  const { requests } = body;
  if (requests !== undefined && (!Array.isArray(requests) || requests.length === 0)) {
    return refuse(400, 'requests: at least one request is required');
  }
  return null;
}

export function refuse(status: number, message: string): Answer {
  return { status, error: { message } };
}
