import { createHmac, timingSafeEqual } from 'node:crypto';
import { post } from '../../src/notify/post.js';
import { keyOf, signatures } from '../../src/notify/signature.js';
import { webhook } from '../../src/notify/webhook.js';
import { AT, message, messages, rig, settled, until } from './fixture.js';
import { hang, reset, startReceiver, status, type Received, type Receiver } from './receiver.js';

/** Signed webhooks, in front of receivers that work, fail, hang, break off and talk for ever. */

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEXT_SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const NOW = Date.parse(AT) + 1_500;

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => receiver.close());

/** What a receiver does: independent of the code that signs. */
function isSignedBy(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  const expected = createHmac('sha256', key).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .map((each) => each.split(','))
    .some(([version, text = '']) => {
      const given = Buffer.from(text, 'base64');
      return version === 'v1' && given.length === 32 && timingSafeEqual(given, expected);
    });
}

function hook(more: Partial<Parameters<typeof webhook>[0]> = {}) {
  return webhook({ url: receiver.url, secret: SECRET, now: () => NOW, ...more });
}

describe('a signature', () => {
  it('is that of the published example', () => {
    const key = keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const signed = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}',
    };
    expect(key && signatures([key], signed)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it.each([
    ['no prefix', Buffer.alloc(32).toString('base64')],
    ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['not base64', `whsec_${'%'.repeat(40)}`],
    ['cut', SECRET.slice(0, -3)],
    ['with a line end', `${SECRET}\n`],
    ['empty', ''],
  ])('takes no secret that is %s', (_what, secret) => {
    expect(keyOf(secret)).toBeNull();
  });
});

describe('a webhook', () => {
  it('posts the message as JSON, signed', async () => {
    const { delivery, report } = rig([hook({ headers: { Authorization: 'Bearer x' } })]);
    delivery.push(message({ type: 'reminder', link: 'https://ops.example/claude' }));
    await until(() => report().sent === 1);
    const [got] = receiver.received;
    expect(got?.method).toBe('POST');
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer x',
      'user-agent': 'claude-metrics',
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(NOW / 1_000)),
    });
    const { alert, text, link } = message({ link: 'https://ops.example/claude' });
    const data = { alert, text, link };
    expect(JSON.parse(got?.body ?? '')).toEqual({ type: 'alert.reminder', timestamp: AT, data });
    expect(got && isSignedBy(SECRET, got)).toBe(true);
    expect(got && isSignedBy(NEXT_SECRET, got)).toBe(false);
    expect(got && isSignedBy(SECRET, { ...got, body: `${got.body} ` })).toBe(false);
  });

  it('signs with both secrets while one replaces the other', async () => {
    const { delivery, report } = rig([hook({ secret: [NEXT_SECRET, SECRET] })]);
    delivery.push(message());
    await until(() => report().sent === 1);
    const [got] = receiver.received;
    expect(got && isSignedBy(SECRET, got) && isSignedBy(NEXT_SECRET, got)).toBe(true);
    expect(String(got?.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  it('keeps the id of a message over all tries, and signs each anew', async () => {
    receiver.answers(status(500), status(200));
    let now = NOW;
    const { delivery, timers, report } = rig([hook({ now: () => now })]);
    delivery.push(message());
    await until(() => report().lastError === 'answered 500');
    now += 60_000;
    await timers.advance(1_000);
    await until(() => report().sent === 1);
    const [first, second] = receiver.received;
    expect(first?.headers['webhook-id']).toBe(second?.headers['webhook-id']);
    expect(first?.headers['webhook-signature']).not.toBe(second?.headers['webhook-signature']);
    expect(second && isSignedBy(SECRET, second)).toBe(true);
    expect(report().lastError).toBeNull();
  });

  it('sends an id without a full stop, which the signature does not allow', async () => {
    const { delivery, report } = rig([hook()]);
    delivery.push(message({ id: 'a.b\r\nc' }));
    await until(() => report().sent === 1);
    expect(receiver.received[0]?.headers['webhook-id']).toMatch(/^[\da-f]{64}$/);
  });

  it.each([400, 401, 403, 404, 410, 301, 302])('does not try again after %d', async (code) => {
    receiver.answers(status(code, { location: '/elsewhere', 'retry-after': '5' }));
    const { delivery, timers, report } = rig([hook()]);
    delivery.push(message());
    await until(() => report().failed === 1);
    expect(timers.pending()).toEqual([]);
    expect(receiver.received).toHaveLength(1);
    expect(report().lastError).toContain(`answered ${code}`);
  });

  it.each([
    [429, '120', 120_000],
    [503, '90', 90_000],
    [503, new Date(NOW + 45_000).toUTCString(), 44_500],
    [429, 'soon', 1_000],
    [429, '-3', 1_000],
    [503, '999999999999999999999', 600_000],
  ])('honours %d with Retry-After: %s', async (code, after, expected) => {
    receiver.answers(status(code, { 'retry-after': after }));
    const { delivery, timers, report } = rig([hook()]);
    delivery.push(message());
    await until(() => report().lastError !== null);
    expect(timers.pending()).toEqual([expected]);
  });

  it('gives up a receiver that never answers, and closes the connection', async () => {
    let closed = false;
    receiver.answers((_response, request) => request.socket.on('close', () => (closed = true)));
    const { delivery, timers, report } = rig([hook()], { retries: 0 });
    delivery.push(message());
    await until(() => receiver.received.length === 1);
    await timers.advance(5_000);
    expect(report()).toMatchObject({ failed: 1, lastError: 'no answer within 5000 ms' });
    await until(() => closed);
  });

  it('survives a connection that breaks off, and tries again', async () => {
    receiver.answers(reset, status(204));
    const { delivery, timers, report } = rig([hook()]);
    delivery.push(message());
    await until(() => report().lastError !== null);
    expect(report().lastError).toMatch(/^the connection failed( \([A-Z_]+\))?$/);
    await timers.advance(1_000);
    await until(() => report().sent === 1);
  });

  it('does not read an answer of 100 MB', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    let written = 0;
    let closed = false;
    receiver.answers((response) => {
      response.on('close', () => (closed = true));
      const more = (): void => {
        while (written < 100 && !closed) {
          written += 1;
          if (!response.write(piece)) return;
        }
        if (!closed) response.end();
      };
      response.writeHead(200).on('drain', more);
      more();
    });
    const { delivery, report } = rig([hook()]);
    delivery.push(message());
    await until(() => report().sent === 1);
    await until(() => closed);
    expect(written).toBeLessThan(100);
  });

  it('never shows its address or its secrets', async () => {
    receiver.answers(status(500), reset, status(404));
    const { delivery, timers, health, report, told } = rig([hook()]);
    delivery.push(message());
    const seen: unknown[] = [];
    for (const reason of [/^answered 500$/, /^the connection failed/, /^answered 404$/]) {
      await until(() => reason.test(report().lastError ?? ''));
      seen.push(report(), health.report(), told.map(String));
      await timers.advance(4_000);
    }
    const text = JSON.stringify(seen);
    for (const secret of ['token-in-the-path', '127.0.0.1', SECRET, 'a body with a secret']) {
      expect(text).not.toContain(secret);
    }
    expect(report()).toMatchObject({ failed: 1, lastError: 'answered 404' });
  });

  it('that hangs does not hold up another', async () => {
    receiver.answers(hang);
    const other = await startReceiver();
    const channels = [hook(), hook({ url: other.url, name: 'other' })];
    const { delivery, report } = rig(channels, { queue: 1_000 });
    for (const each of messages(20)) delivery.push(each);
    await until(() => report('other').sent === 20);
    expect(other.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      messages(20).map(({ id }) => id),
    );
    expect(report('webhook')).toMatchObject({ sent: 0, queued: 20 });
    expect(receiver.received).toHaveLength(1);
    const closed = delivery.close(0);
    await settled();
    await other.close();
    void closed;
  });
});

describe('a post', () => {
  it('to where nobody listens says only what the system said', async () => {
    await receiver.close();
    const { signal } = new AbortController();
    const sent = post({ url: receiver.url, body: '{}', signal });
    await expect(sent).rejects.toThrow(/^the connection failed \(ECONNREFUSED\)$/);
    receiver = await startReceiver();
  });

  it('takes the application’s own User-Agent, once', async () => {
    const { signal } = new AbortController();
    const headers = { 'User-Agent': 'shop', 'Content-Type': 'text/plain' };
    await post({ url: receiver.url, body: '{}', headers, signal });
    expect(receiver.received[0]?.headers).toMatchObject({
      'user-agent': 'shop',
      'content-type': 'application/json',
    });
  });
});

describe('options of a webhook', () => {
  const url = 'https://ops.example/alerts?token=s3cr3t';
  const secret = SECRET;

  it.each([
    'https://ops.example/alerts',
    'http://localhost:8080/',
    'http://receiver.localhost/',
    'http://127.9.9.9/',
    'http://10.1.2.3/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://[::1]:9/',
    'http://[fd00::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://receiver:8080/',
    'http://alerts.shop.internal/',
  ])('take %s', (good) => {
    expect(webhook({ url: good, secret }).name).toBe('webhook');
  });

  it.each([
    'http://ops.example/s3cr3t',
    'http://172.32.0.1/s3cr3t',
    'http://11.0.0.1/s3cr3t',
    'http://[2001:db8::1]/s3cr3t',
    'http://[::ffff:8.8.8.8]/s3cr3t',
    'http://127.0.0.1.evil.example/s3cr3t',
    'ftp://ops.example/s3cr3t',
    'file:///s3cr3t',
    'https://user:s3cr3t@ops.example/',
    'https://s3cr3t@ops.example/',
    'https://:s3cr3t@ops.example/',
    's3cr3t',
    '',
  ])('refuse %s without showing it', (bad) => {
    expect(() => webhook({ url: bad, secret })).toThrow(TypeError);
    expect(() => webhook({ url: bad, secret })).toThrow(
      /^\[claude-metrics\] channel\.webhook: options\.url must be an (https )?address/,
    );
    expect(() => webhook({ url: bad, secret })).not.toThrow('s3cr3t');
  });

  it('take http over the open internet only when told to', () => {
    const open = { url: 'http://ops.example/', secret };
    expect(webhook({ ...open, allowHttp: true }).name).toBe('webhook');
  });

  it.each([
    [{ url, secret: 'whsec_s3cr3t' }, 'options.secret must be "whsec_" and the base64'],
    [{ url, secret: [] }, 'options.secret must be'],
    [{ url, secret: [SECRET, 's3cr3t'] }, 'options.secret must be'],
    [{ url }, 'options.secret must be'],
    [{ secret }, 'options.url must be'],
    [{ url, secret, headers: { 'Webhook-Id': 's3cr3t' } }, 'options.headers must be'],
    [{ url, secret, headers: { 'X-A': 's3cr3t\r\nX-B: 1' } }, 'options.headers must be'],
    [{ url, secret, headers: { 'X A': 's3cr3t' } }, 'options.headers must be'],
    [{ url, secret, name: 'two words' }, 'options.name must be a name'],
    [{ url, secret, minSeverity: 'low' }, 'options.minSeverity must be "info", or "warning"'],
    [{ url, secret, timeout: 5 }, 'there is no option "timeout"'],
    [url, 'expected an object with options'],
    [undefined, 'expected an object with options'],
  ])('are told in words, and without secrets: %#', (options, words) => {
    const make = () => webhook(options as Parameters<typeof webhook>[0]);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(words);
    expect(make).not.toThrow('s3cr3t');
  });
});
