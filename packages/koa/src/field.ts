/** `from[name]`, whatever `from` is: for what others put on Koa's context, which has no type. */
export function field(from: unknown, name: string): unknown {
  if ((typeof from !== 'object' && typeof from !== 'function') || from === null) return undefined;
  return (from as Record<string, unknown>)[name];
}
