/** `GET /v1/models`: the models that the simulator says it has. */
const MODELS = [
  ['claude-opus-5-5', 'Claude Opus 5.5', '2026-09-22'],
  ['claude-sonnet-5-5', 'Claude Sonnet 5.5', '2026-09-28'],
  ['claude-haiku-5-5', 'Claude Haiku 5.5', '2026-10-07'],
] as const;

export function modelList() {
  const data = MODELS.map(([id, display_name, day]) => {
    return { type: 'model', id, display_name, created_at: `${day}T00:00:00Z` };
  });
  return { data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id };
}
