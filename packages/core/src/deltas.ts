/**
 * What the lines of an event stream bring that carry the model's output, told apart without parsing.
 */

/** `envelope`: bytes of a delta line that are not what the model wrote. */
export interface DeltaKind {
  readonly envelope: number;
}

const BEFORE_INDEX = 'data: {"type":"content_block_delta","index":'.length;
const BEFORE_KIND = ',"delta":{"type":"'.length;
const around = (kind: string, field: string) => ({
  envelope: BEFORE_INDEX + 1 + BEFORE_KIND + `${kind}","${field}":""}}`.length,
});
export const TEXT: DeltaKind = around('text_delta', 'text');
export const THINKING: DeltaKind = around('thinking_delta', 'thinking');
export const TOOL_INPUT: DeltaKind = around('input_json_delta', 'partial_json');
/** Signatures and citations: nothing that counts as output. */
const NO_OUTPUT: DeltaKind = { envelope: Number.POSITIVE_INFINITY };

export function deltaKind(line: Uint8Array, start: number, end: number): DeltaKind {
  let at = start + BEFORE_INDEX;
  if (line[at - 1] === 58 /* : */) {
    while (at < end && line[at] !== 44 /* , */) at += 1;
    at += BEFORE_KIND;
    if (line[at - 1] === 34 /* " */) return kindAt(line[at], line[at + 1]);
  }
  // Somebody between the API and us writes JSON with other spaces or another order.
  const found = /"(te|th|in|si|ci)\w*_delta"/.exec(textOf(line, start, Math.min(end, start + 512)));
  return kindAt(found?.[1]?.charCodeAt(0), found?.[1]?.charCodeAt(1));
}

function kindAt(first: number | undefined, second: number | undefined): DeltaKind {
  if (first === 116 /* t */) return second === 101 /* te */ ? TEXT : THINKING;
  return first === 105 /* i */ ? TOOL_INPUT : NO_OUTPUT;
}

export function textOf(line: Uint8Array, start: number, end: number): string {
  return Buffer.from(line.buffer, line.byteOffset + start, Math.max(0, end - start)).toString();
}

export function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
