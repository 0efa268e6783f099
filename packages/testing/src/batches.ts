import { isObject, type Answer } from './answer.js';
import { errorBody } from './errors.js';
import { makeId, makeRequestId } from './ids.js';

/**
 * Message batches. A batch is in progress when it is created and has ended when it is next asked
 * for; its results are made then, one answer for each of its requests, and stay what they are.
 */
export interface Batches {
  create(body: unknown, url: string): object;
  list(): object;
  /** `null`: there is no such batch. */
  get(id: string): object | null;
  cancel(id: string): object | null;
  remove(id: string): object | null;
  /** JSON lines. */
  results(id: string): string | null;
  clear(): void;
}

/** What one request of a batch is answered: the result, in the words of the API. */
export type AnswerItem = (item: Item) => { readonly answer: Answer; readonly message: object };

export interface Item {
  readonly custom_id: unknown;
  readonly params: unknown;
}
interface Batch {
  readonly id: string;
  readonly createdAt: number;
  readonly items: readonly Item[];
  readonly url: string;
  canceled: boolean;
  lines: readonly { readonly custom_id: unknown; readonly result: Result }[] | null;
}
interface Result {
  readonly type: 'succeeded' | 'errored' | 'canceled' | 'expired';
  readonly [field: string]: unknown;
}

const MAX_BATCHES = 1_000;
const DAY_MS = 86_400_000;

export function createBatches(answerItem: AnswerItem): Batches {
  const batches = new Map<string, Batch>();

  function resultOf(item: Item): Result {
    const { answer, message } = answerItem(item);
    if ((answer.status ?? 200) < 400) return { type: 'succeeded', message };
    return { type: 'errored', error: JSON.parse(errorBody(answer, makeRequestId())) as unknown };
  }

  function linesOf(batch: Batch): NonNullable<Batch['lines']> {
    batch.lines ??= batch.items.map((item) => ({
      custom_id: item.custom_id,
      result: batch.canceled ? { type: 'canceled' as const } : resultOf(item),
    }));
    return batch.lines;
  }

  function describe(batch: Batch, ended: boolean): object {
    const created = batch.createdAt;
    const count = (type: Result['type']) =>
      ended ? linesOf(batch).filter(({ result }) => result.type === type).length : 0;
    return {
      id: batch.id,
      type: 'message_batch',
      processing_status: ended ? 'ended' : 'in_progress',
      request_counts: {
        processing: ended ? 0 : batch.items.length,
        succeeded: count('succeeded'),
        errored: count('errored'),
        canceled: count('canceled'),
        expired: count('expired'),
      },
      created_at: new Date(created).toISOString(),
      expires_at: new Date(created + DAY_MS).toISOString(),
      ended_at: ended ? new Date(created).toISOString() : null,
      archived_at: null,
      cancel_initiated_at: batch.canceled ? new Date(created).toISOString() : null,
      results_url: ended ? `${batch.url}/v1/messages/batches/${batch.id}/results` : null,
    };
  }

  return {
    create(body, url) {
      const requests = isObject(body) ? body['requests'] : undefined;
      const items = Array.isArray(requests) ? requests.filter(isObject) : [];
      const id = makeId('msgbatch');
      const batch: Batch = {
        id,
        createdAt: Date.now(),
        items: items.map((item) => ({ custom_id: item['custom_id'], params: item['params'] })),
        url,
        canceled: false,
        lines: null,
      };
      if (batches.size >= MAX_BATCHES) batches.delete(batches.keys().next().value as string);
      batches.set(id, batch);
      return describe(batch, false);
    },
    list() {
      const data = [...batches.values()].map((batch) => describe(batch, true));
      const ids = [...batches.keys()];
      return { data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null };
    },
    get(id) {
      const batch = batches.get(id);
      return batch ? describe(batch, true) : null;
    },
    cancel(id) {
      const batch = batches.get(id);
      if (!batch) return null;
      batch.canceled = true;
      return { ...describe(batch, false), processing_status: 'canceling' };
    },
    remove: (id) => (batches.delete(id) ? { id, type: 'message_batch_deleted' } : null),
    results(id) {
      const batch = batches.get(id);
      return batch
        ? linesOf(batch)
            .map((line) => `${JSON.stringify(line)}\n`)
            .join('')
        : null;
    },
    clear: () => batches.clear(),
  };
}
