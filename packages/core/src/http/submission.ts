import { FORM, JSON_TYPE, mediaType } from './body.js';
import type { HttpRequest } from './message.js';
import { badBody, plainProblem, type Problem } from './problem.js';

/**
 * What a `POST` brings along: the fields of a JSON object, or of a form of our own page.
 */
export interface Submission {
  readonly form: boolean;
  /** Values of a form are strings, or arrays of them where a field was given more than once. */
  readonly fields: readonly (readonly [name: string, value: unknown])[];
}

export type Submitted =
  | { readonly ok: true; readonly value: Submission }
  | { readonly ok: false; readonly problem: Problem };

export const MAX_BODY_BYTES = 16 * 1024;

/** Never rejects. What is too long by its own account is not read at all. */
export async function readSubmission(request: HttpRequest): Promise<Submitted> {
  const type = mediaType(request.header('content-type'));
  if (type !== JSON_TYPE && type !== FORM) return refused(unknownType(type));
  if (Number(request.header('content-length') ?? 0) > MAX_BODY_BYTES) return refused(tooLong());
  let text: string | null;
  try {
    text = await request.readBody(MAX_BODY_BYTES);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'the reader failed';
    return refused(badBody(`The body could not be read: ${why}.`));
  }
  if (text === null) return refused(tooLong());
  if (type === FORM) return { ok: true, value: { form: true, fields: formFields(text) } };
  const fields = jsonFields(text);
  if (fields) return { ok: true, value: { form: false, fields } };
  return refused(badBody('The body must be a JSON object, such as {}, in UTF-8.'));
}

function refused(problem: Problem): Submitted {
  return { ok: false, problem };
}

function unknownType(type: string): Problem {
  const got = type === '' ? 'none' : 'another one';
  const detail = `Content-Type must be ${JSON_TYPE} or ${FORM}, got ${got}.`;
  return plainProblem(415, 'Unsupported Media Type', detail);
}

function tooLong(): Problem {
  return plainProblem(413, 'Content Too Large', `A body has at most ${MAX_BODY_BYTES} bytes here.`);
}

function formFields(text: string): Submission['fields'] {
  const form = new URLSearchParams(text);
  return [...new Set(form.keys())].map((name) => {
    const values = form.getAll(name);
    return [name, values.length === 1 ? values[0] : values];
  });
}

/** Of nothing, too: every field has a default. */
function jsonFields(text: string): Submission['fields'] | null {
  try {
    const value: unknown = text.trim() === '' ? {} : JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? Object.entries(value) : null;
  } catch {
    return null;
  }
}
