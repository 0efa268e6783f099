import type { Call } from './call.js';
import type { Guard } from './health.js';
import type { CallContext, CallRecord, SdkSpan } from './record.js';
import { isRecording, sdkSpan } from './trace.js';

/**
 * The SDK's own span of a call, from the beginning of the call to its end: whoever wants to add
 * something to it is told at both.
 *
 * The span is found at the beginning, for at the end the context is that of whoever read the answer.
 */
export interface CallSpans {
  begun(call: Call): void;
  /** A span that has ended before (an answer that was not read to its end) takes nothing more. */
  ended(call: Call, record: CallRecord): void;
}

export type TellSpan = (span: SdkSpan, of: CallContext, call: CallRecord | null) => void;

export function createCallSpans(guard: Guard, tell: TellSpan): CallSpans {
  // Beside the call and not in it: results of a batch are copies of the call that downloads them.
  const open = new WeakMap<Call, SdkSpan>();

  function begin(call: Call): void {
    const span = call.request && sdkSpan(call.request, call.span !== null);
    if (!span) return;
    open.set(call, span);
    tell(span, call.context, null);
  }

  function end(call: Call, record: CallRecord): void {
    const span = open.get(call);
    if (span && open.delete(call) && isRecording(span)) tell(span, record, record);
  }

  return {
    begun: (call) => guard('capture.sdkSpan', begin, call),
    ended: (call, record) => guard('capture.sdkSpan', end, call, record),
  };
}
