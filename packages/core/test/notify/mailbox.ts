import type { AddressInfo } from 'node:net';
import { createTransport, type Transporter } from 'nodemailer';
import { SMTPServer } from 'smtp-server';

/** A mail server on loopback that keeps what it takes, and refuses whom it is told to. */
export interface Mailbox {
  readonly mails: readonly Mail[];
  readonly transporter: Transporter;
  /** The next mail to this address is refused with this answer, and all later ones. */
  refuse(address: string, code: number): void;
  /** It takes connections, but says nothing any more. */
  hang(): void;
  close(): Promise<void>;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly headers: ReadonlyMap<string, string>;
  /** By content type, decoded. */
  readonly parts: Readonly<Record<string, string>>;
}

export async function startMailbox(): Promise<Mailbox> {
  const mails: Mail[] = [];
  const refused = new Map<string, number>();
  let isHanging = false;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onConnect: (_session, done) => {
      if (!isHanging) done();
    },
    onRcptTo: ({ address }, _session, done) => {
      const code = refused.get(address);
      if (code === undefined) return done();
      done(Object.assign(new Error(`no mail for ${address}`), { responseCode: code }));
    },
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('latin1');
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        mails.push({ from, to, raw, ...parse(raw) });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  const transporter = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true });
  return {
    mails,
    transporter,
    refuse: (address, code) => void refused.set(address, code),
    hang: () => void (isHanging = true),
    close: () =>
      new Promise((resolve) => {
        transporter.close();
        server.close(() => resolve());
      }),
  };
}

function parse(raw: string): Pick<Mail, 'headers' | 'parts'> {
  const { headers, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1];
  const pieces = boundary === undefined ? [raw] : body.split(`--${boundary}`).slice(1, -1);
  const parts = pieces.map((piece) => {
    const part = split(piece.replace(/^\r\n/, '').replace(/\r\n$/, ''));
    const type = (part.headers.get('content-type') ?? '').split(';')[0] ?? '';
    return [type, decode(part.body, part.headers.get('content-transfer-encoding'))];
  });
  return { headers, parts: Object.fromEntries(parts) as Record<string, string> };
}

function split(raw: string) {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), words(line.slice(colon + 1).trim())] as const;
  });
  return { headers: new Map(headers), body: raw.slice(end + 4) };
}

/** Encoded words of a header (RFC 2047). */
function words(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([BQ])\?([^?]*)\?=/gi, (_all, kind: string, data: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(data, 'base64').toString()
        : quoted(data.replaceAll('_', ' ')),
    );
}

function decode(body: string, encoding: string | undefined): string {
  const text =
    encoding === 'base64'
      ? Buffer.from(body, 'base64').toString()
      : encoding === 'quoted-printable'
        ? quoted(body.replace(/=\r\n/g, ''))
        : body;
  return text.replaceAll('\r\n', '\n');
}

function quoted(text: string): string {
  const bytes = text.replace(/=([\dA-F]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}
