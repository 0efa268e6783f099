/** The vocabulary of our JSON schemas. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export const text = { type: 'string' };
export const flag = { type: 'boolean' };
export const count = { type: 'integer', minimum: 0 };
export const number = { type: 'number' };
export const ms = { type: 'number', minimum: 0, description: 'milliseconds' };
export const nanoUsd = { type: 'integer', description: 'nano-dollars (10⁻⁹ USD), exact' };
export const iso = { type: 'string', format: 'date-time' };
export const counts = { type: 'object', additionalProperties: count };

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

export function oneOf(values: readonly string[]): JsonSchema {
  return { type: 'string', enum: values };
}

/** Every property is required but those in `optional`; there are no others. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}
