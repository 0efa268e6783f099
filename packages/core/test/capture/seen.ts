/**
 * What an application sees of a call, as plain data, so that two runs can be compared word for word.
 * Ids and times, which differ from run to run, are left out.
 */
export type Seen = { readonly value: unknown } | { readonly error: unknown };

export async function see(run: () => Promise<unknown>): Promise<Seen> {
  try {
    return { value: plain(await run()) };
  } catch (error) {
    return { error: describe(error) };
  }
}

function describe(error: unknown, depth = 0): unknown {
  if (!(error instanceof Object) || depth > 4) return String(error);
  const { name, message, status, type, requestID, cause, error: body } = error as ErrorLike;
  return {
    class: error.constructor.name,
    name,
    message: withoutIds(String(message)),
    status,
    type,
    hasRequestId: typeof requestID === 'string',
    body: plain(body),
    cause: cause === undefined ? undefined : describe(cause, depth + 1),
    keys: Object.keys(error).sort(),
  };
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly type?: unknown;
  readonly requestID?: unknown;
  readonly cause?: unknown;
  readonly error?: unknown;
}

function plain(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : (JSON.parse(withoutIds(text)) as unknown);
}

/** Request ids, message ids, ports and times of day. */
function withoutIds(text: string): string {
  return text
    .replace(/\b(req|msg|msgbatch|toolu)_[\w-]+/g, '$1_…')
    .replace(/127\.0\.0\.1:\d+/g, 'host')
    .replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, 'time');
}
