import { wrong, type Io } from './command.js';
import { oneLine } from './output.js';
import { loadOneOf } from './project.js';
import type { Arguments, OptionSpecs, Span } from './arguments.js';

/**
 * The usage and cost reports of the Admin API, read through the SDK, page by page. The key is read from
 * the environment, sent nowhere but to the API, and never shown.
 */
export const ADMIN_OPTIONS: OptionSpecs = {
  'admin-key-env': {
    type: 'string',
    value: 'NAME',
    help: 'the variable that holds the Admin key (ANTHROPIC_ADMIN_KEY)',
  },
  'base-url': { type: 'string', value: 'url', help: 'another address of the API' },
};

const USAGE = '/v1/organizations/usage_report/messages';
const COST = '/v1/organizations/cost_report';
const SPEED_BETA = 'fast-mode-2026-02-01';
const GROUPS = ['model', 'service_tier', 'inference_geo', 'speed', 'api_key_id', 'context_window'];
const MAX_BUCKETS = '31';
const MAX_PAGES = 200;
const SDK = '@anthropic-ai/sdk';

/** One bucket of a report, as the API sends it. */
export interface Bucket {
  readonly starting_at: string;
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

export interface Reports {
  readonly usage: readonly Bucket[];
  readonly costs: readonly Bucket[];
}

interface Client {
  get(path: string, options: object): Promise<unknown>;
}

/** @throws UsageError without a key or the SDK, and for what the API refuses. */
export async function reportsOf(args: Arguments, io: Io, { from, to }: Span): Promise<Reports> {
  const client = clientOf(args, io);
  const span = {
    starting_at: new Date(from).toISOString(),
    ending_at: new Date(to).toISOString(),
    bucket_width: '1d',
    limit: MAX_BUCKETS,
  };
  const usage = await pagesOf(args, client, USAGE, span, GROUPS);
  const costs = await pagesOf(args, client, COST, span, ['description']);
  // "Buckets that end before": what lies outside is not asked about.
  const inside = ({ starting_at: at }: Bucket) => Date.parse(at) >= from && Date.parse(at) < to;
  return { usage: usage.filter(inside), costs: costs.filter(inside) };
}

async function pagesOf(
  args: Arguments,
  client: Client,
  path: string,
  span: Readonly<Record<string, string>>,
  groups: readonly string[],
): Promise<Bucket[]> {
  const buckets: Bucket[] = [];
  let page: string | null = null;
  for (let i = 0; i < MAX_PAGES; i += 1) {
    // As an array, which the SDK writes as `group_by[]`: it takes a query apart that is in the path.
    const query = { ...span, group_by: groups, ...(page === null ? {} : { page }) };
    const answer = await ask(args, client, path, query);
    if (!Array.isArray(answer.data))
      wrong(args.command, `${path} answered without a list of buckets.`);
    buckets.push(...(answer.data as Bucket[]));
    page = answer.has_more === true ? (answer.next_page ?? null) : null;
    if (page === null) return buckets;
  }
  return wrong(args.command, `${path} has more than ${MAX_PAGES} pages; ask for a shorter span.`);
}

interface PageAnswer {
  readonly data?: unknown;
  readonly has_more?: unknown;
  readonly next_page?: string | null;
}

async function ask(
  args: Arguments,
  client: Client,
  path: string,
  query: object,
): Promise<PageAnswer> {
  try {
    return (await client.get(path, {
      query,
      headers: { 'anthropic-beta': SPEED_BETA },
    })) as PageAnswer;
  } catch (error) {
    const { status, message } = error as { status?: number; message?: string };
    if (status === 401 || status === 403) {
      const name = args.text('admin-key-env') ?? DEFAULT_KEY;
      const fix = 'Admin keys are made in the Console, under Settings, by an administrator';
      return wrong(args.command, `${path} refuses the key in ${name} (${status}). ${fix}.`, error);
    }
    const reason = status === undefined ? message : `${status} ${message ?? ''}`;
    return wrong(args.command, `${path}: ${oneLine(reason ?? String(error))}`, error);
  }
}

const DEFAULT_KEY = 'ANTHROPIC_ADMIN_KEY';

function clientOf(args: Arguments, io: Io): Client {
  const name = args.text('admin-key-env') ?? DEFAULT_KEY;
  const apiKey = io.env[name] ?? '';
  if (!apiKey.startsWith('sk-ant-admin')) {
    const got = apiKey === '' ? 'is not set' : 'holds another kind of key';
    wrong(args.command, `the Admin API needs a key that begins with sk-ant-admin; ${name} ${got}.`);
  }
  const baseURL = addressOf(args);
  const { module } = loadOneOf(args.command, io.cwd, [SDK]);
  const Anthropic = (module['Anthropic'] ?? module['default']) as new (options: object) => Client;
  // Given in full: variables meant for the application must not send this key to a gateway.
  return new Anthropic({ apiKey, authToken: null, baseURL, maxRetries: 4, timeout: 60_000 });
}

function addressOf(args: Arguments): string {
  const text = args.text('base-url') ?? 'https://api.anthropic.com';
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)) return text;
  return wrong(
    args.command,
    '--base-url must begin with https://, for an Admin key is sent there.',
  );
}
