import { label } from './context.js';
import { ERASED } from './erased.js';
import { show } from './options.js';
import { FEEDBACK_ACTIONS, type CallRecord, type FeedbackAction, type Sink } from './record.js';
import type { Health } from './health.js';
import type { Ledger, Named } from './ledger.js';
import type { GivenFeedback } from './record.js';
import type { Store } from './stores/store.js';

/**
 * What people did with answers, counted where the answer was: for its feature, model and user, at the
 * time at which its call began, however much later it comes.
 *
 * - **opinion**: what one person did last with one answer. Whoever says something else later has changed
 *   their mind: it replaces what they said before.
 * - **remembered**: the last calls of this process, and the last opinions that were told it. A call that
 *   is not remembered is asked of the store, which knows those of other processes, and of before a restart.
 */
export interface FeedbackEvent {
  /** Of the answer: the `id` of the message that the SDK gave you. */
  readonly messageId?: string | undefined;
  /** Or the `id` of our record, of a call that this process remembers. */
  readonly callId?: string | undefined;
  /** `edit` and `retry` are answers that were changed, and asked for once more. */
  readonly action: FeedbackAction;
  /** Who did it. Default the user of the call. */
  readonly userId?: string | number | null | undefined;
  /** Handed to sinks as it is, up to 2,000 characters; never counted, kept or logged. */
  readonly comment?: string | null | undefined;
  /** Handed to sinks; what it means is yours to say. */
  readonly score?: number | null | undefined;
}

export interface Feedback extends Sink {
  record(call: CallRecord): void;
  /**
   * `false`: the call is not known (any more, or yet), or older than anything kept; that is counted under
   * `health.dropped`.
   *
   * @throws TypeError for an action that does not exist, without an id, or for what cannot be right.
   */
  add(event: FeedbackEvent): Promise<boolean>;
  /** Forgets what these users said, and that calls were theirs; says of how many calls and opinions. */
  forgetUser(names: readonly string[]): number;
}

export interface FeedbackOptions {
  readonly ledger: Pick<Ledger, 'addFeedback'>;
  readonly health: Health;
  /** Where calls are that are not remembered. */
  readonly store: Pick<Store, 'findCall'>;
  /** Told what was counted. */
  readonly tell: (given: GivenFeedback) => void;
  /** What is kept of the id of a user. Default: the id as a label. */
  readonly userName?: ((id: unknown) => string | null) | undefined;
}

/** What feedback needs to know of a call. */
type Answered = Named & Pick<CallRecord, 'id' | 'messageId' | 'at'>;

const MAX_CALLS = 20_000;
const MAX_OPINIONS = 20_000;
const MAX_ID = 256;
export const MAX_COMMENT = 2_000;

export function createFeedback(options: FeedbackOptions): Feedback {
  const { ledger, health, store, tell, userName = label } = options;
  const byMessage = new Map<string, Answered>();
  const byId = new Map<string, Answered>();
  const opinions = new Map<string, FeedbackAction>();

  function remember({ id, messageId, at, model, feature, userId, budget }: CallRecord): Answered {
    const sent = budget?.sentModel ?? model;
    const call = { id, messageId, at, model: sent, feature, userId };
    keep(byId, id, call, MAX_CALLS);
    if (messageId !== null) keep(byMessage, messageId, call, MAX_CALLS);
    return call;
  }

  async function find({ messageId, callId }: FeedbackEvent): Promise<Answered | null> {
    const known = byMessage.get(messageId ?? '') ?? byId.get(callId ?? '');
    if (known !== undefined || typeof messageId !== 'string') return known ?? null;
    try {
      const found = await store.findCall?.(messageId);
      // Another event for the same answer may have waited for the store at the same time.
      return found ? (byMessage.get(messageId) ?? remember(found)) : null;
    } catch (error) {
      health.fault('feedback.findCall', error);
      return null;
    }
  }

  return {
    name: 'feedback',
    record: (call) => void remember(call),
    async add(event) {
      check(event);
      const { action, comment, score } = event;
      const call = await find(event);
      if (call === null) {
        health.drop('feedback.unknownCall');
        return false;
      }
      const person = userName(event.userId) ?? call.userId;
      const place = JSON.stringify([call.id, person]);
      const before = opinions.get(place) ?? null;
      if (before !== action && !ledger.addFeedback(call, action, before)) {
        health.drop('feedback.tooOld');
        return false;
      }
      keep(opinions, place, action, MAX_OPINIONS);
      tell({
        ...{ callId: call.id, messageId: call.messageId, callAt: call.at, action, before },
        ...{ userId: person, feature: call.feature, model: call.model },
        comment: comment?.slice(0, MAX_COMMENT) || null,
        score: score ?? null,
      });
      return true;
    },
    forgetUser(names) {
      const isOne = (name: string | null) =>
        name !== null && name !== ERASED && names.includes(name);
      const found = new Set<string>();
      for (const calls of [byId, byMessage]) {
        for (const [place, call] of calls) {
          if (!isOne(call.userId)) continue;
          calls.set(place, { ...call, userId: ERASED });
          found.add(call.id);
        }
      }
      for (const [place, action] of [...opinions]) {
        const [callId, person] = JSON.parse(place) as [string, string | null];
        if (!isOne(person)) continue;
        opinions.delete(place);
        // Whoever it is next that says so is somebody else: it stays one opinion of nobody's.
        opinions.set(JSON.stringify([callId, ERASED]), action);
        found.add(place);
      }
      return found.size;
    },
  };
}

/** The last to be kept is the last to go. */
function keep<T>(into: Map<string, T>, key: string, value: T, most: number): void {
  into.delete(key);
  if (into.size >= most) into.delete(into.keys().next().value as string);
  into.set(key, value);
}

function check(event: FeedbackEvent): void {
  const { messageId, callId, action, comment, score } = event ?? {};
  if (!FEEDBACK_ACTIONS.includes(action)) {
    throw refusal(`action must be one of ${FEEDBACK_ACTIONS.join(', ')}, got ${show(action)}.`);
  }
  const ids = [messageId, callId].filter((id) => typeof id === 'string');
  if (ids.length === 0 || ids.some((id) => id.length > MAX_ID)) {
    throw refusal(
      'give the messageId (the `id` of the answer) or the callId (the `id` of the record), of at ' +
        `most ${MAX_ID} characters.`,
    );
  }
  if (comment !== undefined && comment !== null && typeof comment !== 'string') {
    throw refusal(`comment must be a string, got ${show(comment)}.`);
  }
  if (score !== undefined && score !== null && !Number.isFinite(score)) {
    throw refusal(`score must be a finite number, got ${show(score)}.`);
  }
}

function refusal(text: string): TypeError {
  return new TypeError(`[claude-metrics] monitor.feedback: ${text}`);
}
