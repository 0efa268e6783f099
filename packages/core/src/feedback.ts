import { FEEDBACK_ACTIONS, type CallRecord, type FeedbackAction, type Sink } from './record.js';
import type { Health } from './health.js';
import type { Ledger, Named } from './ledger.js';
import { show } from './options.js';

/**
 * What people did with answers, counted where the answer was: for its feature, model and user, in the
 * minute in which its call began.
 */
export interface FeedbackEvent {
  /** Of the answer: the `id` of the message that the SDK gave you. */
  readonly messageId?: string | undefined;
  /** Or the `id` of our record. */
  readonly callId?: string | undefined;
  /** `edit` and `retry` are answers that were changed, and asked for once more. */
  readonly action: FeedbackAction;
}

export interface Feedback extends Sink {
  record(call: CallRecord): void;
  /**
   * `false`: the call is not known (any more), and the event is counted under `health.dropped`.
   *
   * @throws TypeError for an action that does not exist, or without an id.
   */
  add(event: FeedbackEvent): boolean;
}

/** What feedback needs to know of a call. */
type Answered = Named & { readonly at: number };

const MAX_CALLS = 20_000;

export function createFeedback(ledger: Pick<Ledger, 'addFeedback'>, health: Health): Feedback {
  const calls = new Map<string, Answered>();

  function keep(id: string, call: Answered): void {
    if (calls.size >= MAX_CALLS) calls.delete(calls.keys().next().value as string);
    calls.set(id, call);
  }

  return {
    name: 'feedback',
    record({ id, messageId, at, model, feature, userId, budget }) {
      const answered = { at, model: budget?.sentModel ?? model, feature, userId };
      if (messageId !== null) keep(messageId, answered);
      else keep(id, answered);
    },
    add(event) {
      const { messageId, callId, action } = checked(event);
      const call = calls.get(messageId ?? '') ?? calls.get(callId ?? '');
      if (call) ledger.addFeedback(call, action);
      else health.drop('feedback.unknownCall');
      return call !== undefined;
    },
  };
}

function checked(event: FeedbackEvent): FeedbackEvent {
  const { messageId, callId, action } = event ?? {};
  if (!FEEDBACK_ACTIONS.includes(action)) {
    throw new TypeError(
      `[claude-metrics] monitor.feedback: action must be one of ${FEEDBACK_ACTIONS.join(', ')}, got ` +
        `${show(action)}.`,
    );
  }
  if (typeof messageId !== 'string' && typeof callId !== 'string') {
    throw new TypeError(
      '[claude-metrics] monitor.feedback: give the messageId (the `id` of the answer) or the callId ' +
        '(the `id` of the record).',
    );
  }
  return event;
}
