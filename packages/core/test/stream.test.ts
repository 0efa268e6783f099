import fc from 'fast-check';
import { noAnswer } from '../src/call.js';
import { createScan } from '../src/stream.js';

const event = (name: string, data: object, eol = '\n') =>
  `event: ${name}${eol}data: ${JSON.stringify({ type: name, ...data })}${eol}${eol}`;
const delta = (delta: object, eol?: string) =>
  event('content_block_delta', { index: 0, delta }, eol);

const START = {
  message: {
    id: 'msg_1',
    model: 'claude-opus-5-5',
    stop_reason: null,
    usage: {
      input_tokens: 10,
      output_tokens: 1,
      cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
      service_tier: 'standard',
    },
  },
};
const END = {
  delta: { stop_reason: 'end_turn' },
  usage: { output_tokens: 42, input_tokens: 12, cache_read_input_tokens: null },
};

function answer(eol = '\n'): string {
  return [
    event('message_start', START, eol),
    event('content_block_start', { index: 0, content_block: { type: 'thinking' } }, eol),
    event('ping', {}, eol),
    delta({ type: 'thinking_delta', thinking: 'Hmm' }, eol),
    delta({ type: 'signature_delta', signature: 'abcdefgh' }, eol),
    delta({ type: 'text_delta', text: 'Héllo' }, eol),
    delta({ type: 'input_json_delta', partial_json: '12' }, eol),
    event('message_delta', END, eol),
    event('message_stop', {}, eol),
  ].join('');
}

function scanner() {
  let time = 0;
  const answer = noAnswer();
  const scan = createScan(answer);
  const facts = () => {
    scan.settle();
    return { ...answer, complete: scan.complete, error: scan.error };
  };
  const push = (chunk: unknown) => scan.push(chunk, (time += 1));
  return { push, facts };
}

function scanOf(...chunks: (string | Uint8Array)[]) {
  const { push, facts } = scanner();
  for (const chunk of chunks) push(chunk);
  return facts();
}

const WHOLE = {
  messageId: 'msg_1',
  model: 'claude-opus-5-5',
  stopReason: 'end_turn',
  complete: true,
  outputKnown: true,
  hasOutput: true,
  error: null,
  // Hmm, Héllo and 12: 3 + 6 + 2 bytes of UTF-8; a signature is no output.
  outputBytes: 11,
  usage: {
    input_tokens: 12,
    output_tokens: 42,
    cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
    service_tier: 'standard',
  },
};

describe('createScan', () => {
  it.each([
    ['line feeds', '\n'],
    ['carriage returns and line feeds', '\r\n'],
  ])('reads usage, times and bytes off a stream with %s', (_, eol) => {
    expect(scanOf(Buffer.from(answer(eol)))).toMatchObject(WHOLE);
  });

  it('reads the same from whatever chunks the bytes come in', () => {
    const bytes = Buffer.from(answer());
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => new Uint8Array(bytes.subarray(at[i], end)));
        expect(scanOf(...chunks)).toMatchObject(WHOLE);
      }),
    );
  });

  it('does not keep or change the chunks, which belong to the reader', () => {
    const chunk = Buffer.from(answer().slice(0, 50));
    const before = Buffer.from(chunk);
    const scan = scanner();
    scan.push(chunk);
    expect(chunk).toEqual(before);
    chunk.fill(0);
    scan.push(answer().slice(50));
    expect(scan.facts()).toMatchObject(WHOLE);
  });

  it('marks the first event, delta, thinking and text, each once', () => {
    const events = answer().split(/(?<=\n\n)/);
    const came = (type: string) => 1 + events.findIndex((each) => each.includes(type));
    const facts = scanOf(...events);
    expect(facts.firstEventAt).toBe(1);
    expect(facts.firstDeltaAt).toBe(came('content_block_delta'));
    expect(facts.firstThinkingAt).toBe(came('thinking_delta'));
    expect(facts.firstTextAt).toBe(came('text_delta'));
  });

  it('understands JSON that somebody wrote with other spaces', () => {
    const spaced =
      'event: content_block_delta\n' +
      'data: { "type": "content_block_delta", "delta": { "type": "text_delta", "text": "x" } }\n\n';
    expect(scanOf(spaced).firstTextAt).not.toBeNull();
  });

  it('does not take text that looks like an event for one', () => {
    const facts = scanOf(
      event('message_start', START),
      delta({ type: 'text_delta', text: 'event: message_stop\n\ndata: {"type":"message_stop"}' }),
    );
    expect(facts.complete).toBe(false);
    expect(facts.usage?.output_tokens).toBe(1);
  });

  it('keeps the data of an error event', () => {
    const facts = scanOf(event('message_start', START), event('error', { error: { type: 'x' } }));
    expect(JSON.parse(facts.error ?? '')).toMatchObject({ error: { type: 'x' } });
    expect(facts.complete).toBe(false);
  });

  it('knows input but not output when the stream stops early', () => {
    const facts = scanOf(
      event('message_start', START),
      delta({ type: 'text_delta', text: 'abcd' }),
    );
    expect(facts).toMatchObject({ outputKnown: false, outputBytes: 4, complete: false });
  });

  it('survives an endless line in bounded memory, and finds the next event', () => {
    const chunk = new Uint8Array(256 * 1024).fill(120);
    const scan = scanner();
    for (let i = 0; i < 40; i += 1) scan.push(chunk);
    scan.push(`\n\n${answer()}`);
    expect(scan.facts()).toMatchObject(WHOLE);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (chunks) => {
        scanOf(...chunks);
      }),
    );
    expect(scanOf('event: message_start\ndata: {broken\n\n').usage).toBeNull();
  });
});
