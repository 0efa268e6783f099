import {
  apiFactsOf,
  get,
  isObject,
  MAX_CAUSES,
  MAX_TEXT,
  namesOf,
  type ApiFacts,
} from './error-facts.js';
import type { ErrorKind } from './record.js';

/** Which looks of an error mean which kind: of an API answer, and of anything thrown. */
const KIND_OF_CODE = new Map<string, ErrorKind>([
  ['enforced_spend_limit_reached', 'spend_limit'],
  ['contract_spend_limit_reached', 'spend_limit'],
  ['linked_organization_spend_limit_reached', 'spend_limit'],
  ['ramp_limit_exceeded', 'rate_limit'],
  ['request_body_timeout', 'timeout'],
]);

/** Where the API has one type for several causes, only its words tell them apart. */
const KIND_OF_TEXT: readonly (readonly [string, ErrorKind])[] = [
  ['api usage limits', 'spend_limit'],
  ['credit balance is too low', 'billing'],
  ['prompt is too long', 'context_too_long'],
  ['input is too long', 'context_too_long'],
  ['exceed context limit', 'context_too_long'],
  ['blocked by content filtering', 'content_filter'],
];

const KIND_OF_STATUS = new Map<number, ErrorKind>([
  [401, 'auth_error'],
  [402, 'billing'],
  [403, 'auth_error'],
  [404, 'not_found'],
  [408, 'timeout'],
  [413, 'context_too_long'],
  [429, 'rate_limit'],
  [499, 'cancelled'],
  [504, 'timeout'],
  [529, 'overloaded'],
]);

const KIND_OF_TYPE = new Map<string, ErrorKind>([
  ['invalid_request_error', 'invalid_request'],
  ['conflict_error', 'invalid_request'],
  ['authentication_error', 'auth_error'],
  ['permission_error', 'auth_error'],
  ['billing_error', 'billing'],
  ['not_found_error', 'not_found'],
  ['request_too_large', 'context_too_long'],
  ['rate_limit_error', 'rate_limit'],
  ['timeout_error', 'timeout'],
  ['api_error', 'server_error'],
  ['overloaded_error', 'overloaded'],
]);

export function kindOfApi({ status, type, code, text }: ApiFacts): ErrorKind {
  const ofCode = code === null ? undefined : KIND_OF_CODE.get(code);
  if (ofCode) return ofCode;
  if (type === null || type === 'invalid_request_error') {
    const start = (text ?? '').slice(0, MAX_TEXT).toLowerCase();
    const found = KIND_OF_TEXT.find(([words]) => start.includes(words));
    if (found) return found[1];
  }
  const ofStatus = status === null ? undefined : KIND_OF_STATUS.get(status);
  if (ofStatus) return ofStatus;
  const ofType = type === null ? undefined : KIND_OF_TYPE.get(type);
  if (ofType) return ofType;
  if (status === null || status < 400) return 'unknown';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

/** Names of the SDK's, `fetch`'s and the platform's errors; versions before 1.0 set no `name`. */
const KIND_OF_NAME = new Map<string, ErrorKind>([
  ['APIUserAbortError', 'cancelled'],
  ['AbortError', 'cancelled'],
  ['APIConnectionTimeoutError', 'timeout'],
  ['TimeoutError', 'timeout'],
  ['ConnectTimeoutError', 'timeout'],
  ['HeadersTimeoutError', 'timeout'],
  ['BodyTimeoutError', 'timeout'],
  ['APIConnectionError', 'connection'],
  ['SocketError', 'connection'],
  ['SyntaxError', 'malformed_response'],
  ['BudgetExceededError', 'spend_limit'],
]);

/** What minifying a bundle leaves of the SDK's own errors, and of `fetch`'s. */
const KIND_OF_MESSAGE = new Map<string, ErrorKind>([
  ['Request was aborted.', 'cancelled'],
  ['Request timed out.', 'timeout'],
  ['Connection error.', 'connection'],
  ['fetch failed', 'connection'],
  ['terminated', 'connection'],
  ['stream ended without producing a Message with role=assistant', 'connection'],
]);

const MAX_CODE = 64;
const TIMEOUT_CODE = /^(?:E(?:SOCKET)?TIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/;
const CONNECTION_CODE =
  /^(?:ECONN[A-Z]+|EPIPE|EPROTO|ENOTFOUND|EAI_[A-Z]+|EHOST[A-Z]+|ENET[A-Z]+|EADDRNOTAVAIL|UND_ERR_(?!INVALID|NOT_SUPPORTED)[A-Z_]+|ERR_(?:TLS|SSL|SOCKET|HTTP2)_[A-Z_]+|CERT_[A-Z_]+|DEPTH_ZERO_[A-Z_]+|SELF_SIGNED_[A-Z_]+|UNABLE_TO_[A-Z_]+|HPE_[A-Z_]+)$/;

export function kindOfThrown(error: object): ErrorKind {
  const names = namesOf(error);
  for (const name of names) {
    const kind = KIND_OF_NAME.get(name);
    if (kind) return kind;
  }
  const facts = apiFactsOf(error);
  const kind = facts.status !== null || facts.type !== null ? kindOfApi(facts) : 'unknown';
  if (kind !== 'unknown') return kind;
  const code = get(error, 'code');
  if (typeof code === 'string') {
    if (TIMEOUT_CODE.test(code)) return 'timeout';
    if (code === 'ABORT_ERR') return 'cancelled';
    if (CONNECTION_CODE.test(code)) return 'connection';
  }
  return KIND_OF_MESSAGE.get(facts.text ?? '') ?? 'unknown';
}

/** The code of the network's error, however deep it is wrapped. */
export function networkCodeOf(error: object): string | null {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && isObject(current); depth += 1) {
    const code = get(current, 'code');
    const known = typeof code === 'string' && code.length <= MAX_CODE;
    if (known && (TIMEOUT_CODE.test(code) || CONNECTION_CODE.test(code))) return code;
    current = get(current, 'cause');
  }
  return null;
}
