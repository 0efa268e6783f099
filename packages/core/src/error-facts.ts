/**
 * Reads what an error or an error body says, whatever it is: getters and proxies that throw, bodies
 * that are no JSON or a megabyte long, errors of two copies of the SDK.
 */
export interface ApiFacts {
  readonly status: number | null;
  readonly type: string | null;
  /** `error.details.error_code`. */
  readonly code: string | null;
  readonly text: string | null;
}

/** How much of a text is looked at, and how deep causes are followed. */
export const MAX_TEXT = 2_000;
export const MAX_CAUSES = 5;

/** What an error thrown by the SDK, or by anybody in its shape, says about the API's answer. */
export function apiFactsOf(error: object): ApiFacts {
  const body = factsOfBody(get(error, 'error'));
  const status = get(error, 'status');
  const code = get(error, 'errorCode');
  const isStatus = typeof status === 'number' && status >= 400 && status < 600;
  return {
    status: isStatus ? Math.floor(status) : null,
    type: word(get(error, 'type')) ?? body.type,
    code: word(code) ?? body.code,
    text: body.text ?? textOf(get(error, 'message')),
  };
}

/** `{ type: 'error', error: { type, message, details: { error_code } } }`, or its inner part. */
function factsOfBody(body: unknown): ApiFacts {
  const nested = get(body, 'error');
  const inner = isObject(nested) ? nested : body;
  const type = word(get(inner, 'type'));
  return {
    status: null,
    type: type === 'error' ? null : type,
    code: word(get(get(inner, 'details'), 'error_code')),
    text: textOf(get(inner, 'message')),
  };
}

/** Longer bodies are not parsed; the beginning of them says what is needed. */
const MAX_PARSED = 32_768;

export function factsOfText(body: string | null): ApiFacts {
  if (body === null) return factsOfBody(null);
  if (body.length <= MAX_PARSED) {
    try {
      return factsOfBody(JSON.parse(body));
    } catch {
      // Not JSON: a proxy's page, or a body that was cut.
    }
  }
  const start = body.slice(0, MAX_TEXT);
  const types = [...start.matchAll(/"type"\s{0,9}:\s{0,9}"([a-z_]{1,64})"/g)].map((m) => m[1]);
  const text = /"message"\s{0,9}:\s{0,9}"((?:[^"\\]|\\.){0,600})/.exec(start);
  return {
    status: null,
    type: types.find((type) => type !== 'error') ?? null,
    code: /"error_code"\s{0,9}:\s{0,9}"([a-z_]{1,64})"/.exec(start)?.[1] ?? null,
    text: text?.[1] ?? null,
  };
}

const MAX_CLASSES = 6;
const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/;

/** Its `name`, then its class and what that extends, nearest first. */
export function namesOf(error: object): string[] {
  const names = [get(error, 'name')];
  let proto = prototypeOf(error);
  for (let depth = 0; depth < MAX_CLASSES && proto !== null; depth += 1) {
    names.push(get(get(proto, 'constructor'), 'name'));
    proto = prototypeOf(proto);
  }
  return names.filter((name): name is string => typeof name === 'string' && IDENTIFIER.test(name));
}

function prototypeOf(value: object): object | null {
  try {
    return Object.getPrototypeOf(value) as object | null;
  } catch {
    return null;
  }
}

function word(value: unknown): string | null {
  return typeof value === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(value) ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : null;
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A property of anything: getters and proxies may throw. */
export function get(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}
