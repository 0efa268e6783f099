import { email } from '../../src/notify/email.js';
import { message, rig, until } from './fixture.js';
import { startMailbox, type Mailbox } from './mailbox.js';

/** Mails, sent by nodemailer to a mail server and read there. */

let box: Mailbox;

beforeEach(async () => {
  box = await startMailbox();
});

afterEach(() => box.close());

const from = 'Claude <metrics@shop.example>';
const to = ['ops@shop.example', 'boss@shop.example'];

function mailer(more: Partial<Parameters<typeof email>[0]> = {}) {
  return email({ transporter: box.transporter, from, to, ...more });
}

describe('a mail', () => {
  it('arrives with its text, its HTML and a link', async () => {
    const { delivery, report } = rig([mailer()]);
    delivery.push(
      message({ link: 'https://ops.example/claude?a=1&b=2', text: 'Zu viele Fehler: 7 %\nñ' }),
    );
    await until(() => report().sent === 1);
    const [mail] = box.mails;
    expect(mail).toMatchObject({ from: 'metrics@shop.example', to });
    expect(mail?.headers.get('from')).toBe(from);
    expect(mail?.headers.get('to')).toBe(to.join(', '));
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.headers.get('subject')).toBe(
      '[claude-metrics] Firing: Error rate 7.2 % over 5 min (limit 5 %), feature chat',
    );
    expect(mail?.parts['text/plain']).toBe(
      'Zu viele Fehler: 7 %\nñ\n\nhttps://ops.example/claude?a=1&b=2\n',
    );
    expect(mail?.parts['text/html']).toBe(
      '<p><strong>Firing: Error rate 7.2 % over 5 min (limit 5 %), feature chat</strong></p>\n' +
        '<p style="white-space: pre-line">Zu viele Fehler: 7 %\nñ</p>\n' +
        '<p><a href="https://ops.example/claude?a=1&amp;b=2">Open the dashboard</a></p>\n',
    );
  });

  it('has an id of its own, and belongs to the thread of its alert', async () => {
    const { delivery, report } = rig([mailer()]);
    delivery.push(message());
    delivery.push(message({ id: 'msg_2', type: 'resolved' }));
    delivery.push(message({ id: 'odd > id\r\n', alert: { id: 'another' } }));
    await until(() => report().sent === 3);
    const ids = box.mails.map(({ headers }) => headers.get('message-id'));
    const threads = box.mails.map(({ headers }) => headers.get('references'));
    expect(ids.slice(0, 2)).toEqual(['<msg_1@shop.example>', '<msg_2@shop.example>']);
    expect(ids[2]).toMatch(/^<[\da-f]{64}@shop\.example>$/);
    expect(threads[0]).toBe('<alert-abcdef0123456789@shop.example>');
    expect(threads[1]).toBe(threads[0]);
    expect(threads[2]).not.toBe(threads[0]);
    expect(box.mails[1]?.headers.get('in-reply-to')).toBe(threads[0]);
  });

  it('cannot be given headers or markup by a name', async () => {
    const key = '"><script>x</script>\r\nBcc: evil@evil.example\r\n\r\nbody\u202E';
    const alert = { title: key, group: { by: 'user', key } } as const;
    const { delivery, report } = rig([mailer()]);
    delivery.push(message({ alert, text: key, link: 'javascript:alert(1)' }));
    await until(() => report().sent === 1);
    const [mail] = box.mails;
    expect(mail?.to).toEqual(to);
    expect(mail?.headers.has('bcc')).toBe(false);
    expect(mail?.headers.get('subject')).toContain('\uFFFD\uFFFDBcc: evil@evil.example\uFFFD');
    const html = mail?.parts['text/html'] ?? '';
    expect(html).toContain('&lt;script&gt;x&lt;/script&gt;');
    expect(html.match(/<[a-z/]+/g)).toEqual(['<p', '<strong', '</strong', '</p', '<p', '</p']);
  });

  it('takes a subject from the application, on one line', async () => {
    const subject = () => `Claude is in trouble\r\nBcc: evil@evil.example${'!'.repeat(500)}`;
    const { delivery, report } = rig([mailer({ subject, to: 'ops@shop.example' })]);
    delivery.push(message());
    await until(() => report().sent === 1);
    const told = box.mails[0]?.headers.get('subject') ?? '';
    expect(told).toMatch(/^Claude is in trouble\uFFFD\uFFFDBcc: evil@evil\.example!+…$/);
    expect(told.length).toBeLessThanOrEqual(200);
    expect(box.mails[0]?.to).toEqual(['ops@shop.example']);
  });
});

describe('a mail that is not taken', () => {
  it.each([
    [550, 0],
    [451, 1],
  ])('with %d is tried %d more times', async (code, more) => {
    for (const address of to) box.refuse(address, code);
    const { delivery, timers, report } = rig([mailer()], { retries: 1 });
    delivery.push(message());
    await until(() => report().lastError !== null);
    expect(report().lastError).toBe(`the mail server answered ${code}`);
    expect(timers.pending()).toHaveLength(more);
    expect(report().failed).toBe(1 - more);
  });

  it('by one of two is reported, and not sent to the other twice', async () => {
    box.refuse('boss@shop.example', 550);
    const { delivery, timers, report } = rig([mailer()]);
    delivery.push(message());
    await until(() => report().failed === 1);
    expect(report().lastError).toBe('the mail server refused 1 of 2 recipients');
    expect(box.mails.map((mail) => mail.to)).toEqual([['ops@shop.example']]);
    expect(timers.pending()).toEqual([]);
  });

  it('because nobody listens is tried again, and no address is told', async () => {
    await box.close();
    const { delivery, timers, report } = rig([mailer()]);
    delivery.push(message());
    await until(() => report().lastError !== null);
    expect(report().lastError).toMatch(/^the mail could not be sent \(E[A-Z]+\)$/);
    expect(timers.pending()).toEqual([1_000]);
    box = await startMailbox();
  });

  it('because the server hangs is given up in time', async () => {
    box.hang();
    const { delivery, timers, report } = rig([mailer()], { retries: 0 });
    delivery.push(message());
    await until(() => timers.pending().length === 1);
    await timers.advance(5_000);
    expect(report()).toMatchObject({ failed: 1, lastError: 'no answer within 5000 ms' });
  });
});

describe('options of mails', () => {
  const transporter = { sendMail: () => Promise.resolve() };

  it.each([
    [{ from, to }, 'options.transporter must be a transporter of nodemailer'],
    [{ transporter: {}, from, to }, 'options.transporter must be an object with sendMail()'],
    [{ transporter, to }, 'options.from must be one mail address'],
    [{ transporter, from: 'nobody', to }, 'options.from must be one mail address'],
    [{ transporter, from: 'a@b.example\r\nBcc: c@d.example', to }, 'options.from must be'],
    [{ transporter, from }, 'options.to must be a mail address, or an array of them'],
    [{ transporter, from, to: [] }, 'options.to must be'],
    [{ transporter, from, to: ['a@b.example', 'x\n@y.example'] }, 'options.to must be'],
    [{ transporter, from, to, subject: 'Alert' }, 'options.subject must be a function'],
  ])('are told in words: %#', (options, words) => {
    const make = () => email(options as unknown as Parameters<typeof email>[0]);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(words);
  });
});
