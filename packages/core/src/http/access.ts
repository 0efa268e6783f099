import { randomBytes } from 'node:crypto';
import { mountOf, withoutToken, withSlash, endsInSlash } from './location.js';
import { notFound, respond, text, type HttpRequest, type HttpResponse } from './message.js';
import { isKnownHost } from './hosts.js';
import { createSession, sameSecret } from './session.js';

/**
 * The mount is closed: every request passes here before anything else looks at it.
 *
 * - **authorize**: the application's own decision; when it is there, nothing else opens the mount.
 * - **token**: a secret that opens the mount; fixed by the operator, or made at start.
 * - **closed**: neither, in production. Every path answers 404.
 *
 * Being on loopback proves nothing (a proxy on the same host looks like it), and neither do
 * `X-Forwarded-*` headers: they are not read.
 */
export interface AccessOptions {
  /** Asked with the framework's request. Only `true` opens; a throw is counted and closes. */
  readonly authorize?: ((native: unknown) => boolean | Promise<boolean>) | undefined;
  /** At least 32 printable ASCII characters. Default: `CLAUDE_METRICS_AUTH_TOKEN`. */
  readonly authToken?: string | undefined;
  /**
   * Host names to answer to, besides localhost and IP addresses, with a token made at start. And
   * those whose pages may send a `POST`, where a proxy changes `Host`; with the port, if there is one.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Where the mount is, for a line in the log at start; without it, the first request tells. */
  readonly path?: string | undefined;
  /** Default `process.env`. */
  readonly env?: Env | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Whom to tell. */
export interface Operator {
  say(line: string): void;
  fault(step: string, error: unknown): void;
}

export interface Access {
  /** `null`: come in. Otherwise the answer, which may also be the step that opens the mount. */
  check(request: HttpRequest): Promise<HttpResponse | null>;
}

/** @throws TypeError for a token that is too short, or that contradicts `authorize`. */
export function createAccess(options: AccessOptions, operator: Operator): Access {
  const { authorize, authToken } = options;
  const env = options.env ?? process.env;
  const production = isProduction(env);
  if (authorize) {
    if (authToken === undefined) return ownAccess(authorize, production, operator);
    throw new TypeError(
      '[claude-metrics] authToken: `authorize` decides alone, so a token would never be asked ' +
        'for. Pass one of the two.',
    );
  }
  const fixed = fixedToken(authToken, env['CLAUDE_METRICS_AUTH_TOKEN']);
  if (fixed !== undefined) return tokenAccess(fixed, false, env, options, operator);
  if (production) return closedAccess(options.path, operator);
  const token = randomBytes(32).toString('base64url');
  return tokenAccess(token, true, env, options, operator);
}

function isProduction(env: Env): boolean {
  return env['NODE_ENV'] === 'production';
}

/** The application's own decision. Only `true` opens: a forgotten `await` or a user object does not. */
function ownAccess(
  authorize: NonNullable<AccessOptions['authorize']>,
  production: boolean,
  operator: Operator,
): Access {
  return {
    async check(request) {
      try {
        const answer: unknown = await authorize(request.native);
        if (answer === true) return null;
        if (answer) throw new TypeError('authorize() must return true or false');
      } catch (error) {
        operator.fault('authorize', error);
      }
      return production ? notFound() : text(403, 'Forbidden: authorize() did not return true.');
    },
  };
}

function closedAccess(path: string | undefined, operator: Operator): Access {
  let said = false;
  const sayOnce = () => {
    if (said) return;
    said = true;
    operator.say(
      `${path ?? 'The dashboard'} is closed: in production it opens with the option ` +
        '`authorize: (req) => boolean`, or with a secret of at least 32 characters in ' +
        'CLAUDE_METRICS_AUTH_TOKEN.',
    );
  };
  if (path !== undefined) sayOnce();
  return {
    check() {
      sayOnce();
      return Promise.resolve(notFound());
    },
  };
}

/** `printed`: the token was made at start, and the log is where to read it. */
function tokenAccess(
  token: string,
  printed: boolean,
  env: Env,
  options: AccessOptions,
  operator: Operator,
): Access {
  const { allowedHosts, path } = options;
  const production = isProduction(env);
  const session = createSession(token, options.now ?? Date.now);
  const checksHost = printed || allowedHosts !== undefined;
  let said = !printed;
  // A test suite makes many applications, and opens the dashboard of few.
  const atStart = printed && path !== undefined && env['NODE_ENV'] !== 'test';
  if (atStart) operator.say(`Dashboard: open ${path}/?token=${token}`);

  return { check: (request) => Promise.resolve(decide(request)) };

  function decide(request: HttpRequest): HttpResponse | null {
    const host = request.header('host');
    if (checksHost && !isKnownHost(host, allowedHosts ?? [])) {
      if (production) return notFound();
      return text(421, 'Misdirected Request: add this host name to the option `allowedHosts`.');
    }
    const bearer = /^Bearer +(\S+) *$/i.exec(request.header('authorization') ?? '')?.[1];
    if (bearer !== undefined && sameSecret(bearer, token)) return null;

    const known = session.isValid(request.header('cookie'), host);
    const offered = exchanges(request) ? request.query.getAll('token') : [];
    if (offered.length === 0) return known ? null : refuse(request);
    const opens = offered.length === 1 && sameSecret(offered[0] ?? '', token);
    if (!opens && !known) return refuse(request);
    if (isRoot(request.path) && !endsInSlash(request.url)) {
      return redirect(withSlash(request.url), 307);
    }
    const cookie = opens ? { 'set-cookie': session.issue(host, request.secure) } : {};
    return redirect(withoutToken(request.path, request.query), 303, cookie);
  }

  function refuse(request: HttpRequest): HttpResponse {
    if (!said) {
      said = true;
      const origin = `${request.secure ? 'https' : 'http'}://${request.header('host') ?? ''}`;
      const mount = mountOf(request.url, request.path);
      operator.say(`Dashboard: open ${origin}${mount}/?token=${token}`);
    }
    if (production) return notFound();
    return text(
      401,
      'Unauthorized. Open the address with ?token=… that the application printed, or send ' +
        'Authorization: Bearer <token>.',
      { 'www-authenticate': 'Bearer realm="claude-metrics"' },
    );
  }
}

/**
 * The cookie has no `Path`, so the browser takes the directory of the address: right behind every
 * prefix, but only if the address is no deeper than one step below the mount.
 */
function exchanges({ method, path }: HttpRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && path.lastIndexOf('/') <= 0;
}

export function isRoot(path: string): boolean {
  return path === '' || path === '/';
}

export function redirect(
  location: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return respond(status, 'text/plain; charset=utf-8', '', { location, ...headers });
}

function fixedToken(option: string | undefined, env: string | undefined): string | undefined {
  const token = option ?? (env === '' ? undefined : env);
  if (token === undefined) return undefined;
  // Header-safe, so that every character of it can be sent as a bearer token.
  if (token.length >= 32 && /^[\x21-\x7e]+$/.test(token)) return token;
  const name = option === undefined ? 'CLAUDE_METRICS_AUTH_TOKEN' : 'authToken';
  throw new TypeError(
    `[claude-metrics] ${name}: must be at least 32 printable ASCII characters without spaces, got ` +
      `${token.length}. Make one with: node -p "crypto.randomBytes(32).toString('hex')"`,
  );
}
