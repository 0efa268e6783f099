import { pagerDuty } from '../../src/notify/pager-duty.js';
import { slack } from '../../src/notify/slack.js';
import { AT, message, rig, until } from './fixture.js';
import { startReceiver, status, type Receiver } from './receiver.js';

/** Slack and PagerDuty, in front of a server that takes what they would take. */

const KEY = 'R0123456789abcdefghijABCDEFGHIJ0';
const HOSTILE = '<!channel> <https://evil.example|click> & @here *b* :x:\u202E\n\u0000\uD800';

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => receiver.close());

type Json = Record<string, unknown>;
type Channels = Parameters<typeof rig>[0];

async function bodiesOf(channels: Channels, ...sent: ReturnType<typeof message>[]) {
  const { delivery, report } = rig(channels);
  for (const each of sent) delivery.push(each);
  await until(() => report().sent === sent.length);
  return receiver.received.map(({ body }) => JSON.parse(body) as Json);
}

const blocksOf = (body: Json | undefined) => (body?.['blocks'] ?? []) as readonly Block[];

interface Block {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly fields?: readonly { readonly type: string; readonly text: string }[];
}

const textsOf = (blocks: readonly Block[]) =>
  blocks.flatMap(({ text, fields = [] }) => [...(text ? [text] : []), ...fields]);

describe('slack', () => {
  it('posts blocks, a text for notifications, and one link', async () => {
    const link = 'https://ops.example/claude?a=1&b=<2>|3';
    const [body] = await bodiesOf([slack({ url: receiver.url })], message({ link }));
    expect(body).toEqual({
      text: 'Firing: Error rate 7.2 % over 5 min (limit 5 %), feature chat',
      blocks: expect.any(Array),
    });
    const texts = textsOf(blocksOf(body));
    expect(texts.map(({ text }) => text)).toEqual([
      'Firing: Error rate 7.2 % over 5 min (limit 5 %), feature chat',
      message().text,
      'Severity\ncritical',
      'Rule\nerror-rate',
      'For\nfeature chat',
      `Since\n${AT}`,
      '<https://ops.example/claude?a=1&amp;b=%3C2%3E%7C3|Open the dashboard>',
    ]);
  });

  it('goes to the channel and under the name it is told', async () => {
    const channel = slack({ url: receiver.url, channel: '#ops', username: 'claude' });
    const [body] = await bodiesOf([channel], message());
    expect(body).toMatchObject({ channel: '#ops', username: 'claude' });
  });

  it('shows a name from outside as it is: no mention, no link, no format', async () => {
    const alert = { title: HOSTILE, rule: HOSTILE, group: { by: 'user', key: HOSTILE } } as const;
    const [body] = await bodiesOf([slack({ url: receiver.url })], message({ alert }));
    const texts = textsOf(blocksOf(body));
    expect(texts.map(({ type }) => type)).toEqual(texts.map(() => 'plain_text'));
    for (const text of [String(body?.['text']), ...texts.map((each) => each.text)]) {
      expect(text).not.toMatch(/[<>\p{Cf}\p{Cs}]/u);
      expect(text).not.toContain('\u0000');
    }
    expect(body?.['text']).toContain('&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp;');
  });

  it.each(['&', '<', '😀', 'x'])('keeps to the limits, with names full of %s', async (char) => {
    const long = char.repeat(10_000);
    const alert = { title: long, rule: long, group: { by: 'user', key: long } } as const;
    const sent = message({ alert, text: long, link: `https://ops.example/${'y'.repeat(4_000)}` });
    const [body] = await bodiesOf([slack({ url: receiver.url })], sent);
    const [header, section, fields, ...others] = blocksOf(body);
    expect(header?.text?.text.length).toBeLessThanOrEqual(150);
    expect(section?.text?.text.length).toBeLessThanOrEqual(3_000);
    for (const { text } of fields?.fields ?? []) expect(text.length).toBeLessThanOrEqual(2_000);
    // Half a link would lead elsewhere.
    expect(others).toEqual([]);
    for (const { text } of textsOf(blocksOf(body))) {
      expect(text.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&');
      expect(text).not.toMatch(/\p{Cs}/u);
    }
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'nowhere'])(
    'leaves out a link that does not lead to the web: %s',
    async (link) => {
      const [body] = await bodiesOf([slack({ url: receiver.url })], message({ link }));
      expect(body?.['blocks']).toHaveLength(3);
    },
  );

  it('says what is wrong, but never its address', async () => {
    receiver.answers(status(404));
    const { delivery, report, health } = rig([slack({ url: receiver.url })]);
    delivery.push(message());
    await until(() => report().failed === 1);
    expect(report().lastError).toBe('answered 404');
    expect(JSON.stringify([report(), health.report()])).not.toContain('token-in-the-path');
    const bare = 'https://hooks.slack.com/services/s3cr3t' as unknown as { url: string };
    expect(() => slack(bare)).toThrow('channel.slack: expected an object');
    expect(() => slack(bare)).not.toThrow('s3cr3t');
    expect(() => slack({ url: 'http://hooks.slack.com/s3cr3t' })).toThrow(TypeError);
    expect(() => slack({ url: 'http://hooks.slack.com/s3cr3t' })).not.toThrow('s3cr3t');
  });
});

describe('pagerDuty', () => {
  const pager = () => pagerDuty({ routingKey: KEY, url: receiver.url, source: 'shop-1' });

  it('opens an incident and closes the same', async () => {
    const link = 'https://ops.example/claude';
    const sent = [message({ link }), message({ id: 'msg_2', type: 'resolved' })];
    const [opened, closed] = await bodiesOf([pager()], ...sent);
    expect(opened).toEqual({
      routing_key: KEY,
      event_action: 'trigger',
      dedup_key: 'abcdef0123456789',
      client: 'claude-metrics',
      client_url: link,
      links: [{ href: link, text: 'Dashboard' }],
      payload: {
        summary: 'Firing: Error rate 7.2 % over 5 min (limit 5 %), feature chat',
        source: 'shop-1',
        severity: 'critical',
        timestamp: AT,
        class: 'error-rate',
        custom_details: {
          rule: 'error-rate',
          group: 'feature chat',
          value: 0.072,
          limit: 0.05,
          unit: 'ratio',
          since: AT,
          text: message().text,
        },
      },
    });
    const dedup_key = 'abcdef0123456789';
    expect(closed).toEqual({ routing_key: KEY, event_action: 'resolve', dedup_key });
  });

  it('makes a reminder one more trigger of the same incident', async () => {
    const [first, second] = await bodiesOf([pager()], message(), message({ type: 'reminder' }));
    expect(second).toMatchObject({ event_action: 'trigger', dedup_key: first?.['dedup_key'] });
  });

  it('keeps to the limits, whatever the names', async () => {
    const long = '\u202E&\n'.repeat(5_000);
    const alert = { title: long, rule: long, group: { by: 'user', key: long } } as const;
    const [body] = await bodiesOf([pager()], message({ alert, text: long }));
    const { summary } = (body?.['payload'] ?? {}) as { summary?: string };
    expect(summary?.length).toBeLessThanOrEqual(1_024);
    expect(summary).not.toMatch(/[\n\u202E]/);
    expect(receiver.received[0]?.body.length).toBeLessThan(16_000);
  });

  it('goes to the US region by default, and names this host', () => {
    expect(pagerDuty({ routingKey: KEY }).name).toBe('pagerDuty');
  });

  it.each([
    [{ routingKey: 's3cr3t' }, 'options.routingKey must be the 32 letters and digits'],
    [{ routingKey: `${KEY}\n` }, 'options.routingKey must be'],
    [{}, 'options.routingKey must be'],
    [{ routingKey: KEY, url: 'http://events.example/s3cr3t' }, 'options.url must be an https'],
    ['s3cr3t', 'expected an object'],
  ])('tells bad options in words, and without secrets: %#', (options, words) => {
    const make = () => pagerDuty(options as Parameters<typeof pagerDuty>[0]);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(words);
    expect(make).not.toThrow(/s3cr3t|R0123/);
  });
});
