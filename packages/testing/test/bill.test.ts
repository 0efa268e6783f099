/** The usage and cost reports of the Admin API, as the SDK reads them. */
import { createSimulator, type BilledUsage, type Simulator } from '../src/index.js';
import { SDKS } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const USAGE = '/v1/organizations/usage_report/messages';
const COST = '/v1/organizations/cost_report';
const at = (text: string) => new Date(`2026-11-${text}Z`);
const span = { starting_at: '2026-11-01T00:00:00Z', ending_at: '2026-11-10T00:00:00Z' };
const beta = { 'anthropic-beta': 'fast-mode-2026-02-01' };

const lines: BilledUsage[] = [
  {
    at: at('01T10:00:00'),
    model: 'a',
    apiKeyId: 'k1',
    usage: { input_tokens: 10, output_tokens: 1 },
  },
  {
    at: at('01T23:59:59'),
    model: 'a',
    speed: 'fast',
    usage: { input_tokens: 5, output_tokens: 2 },
  },
  {
    at: at('09T00:00:00'),
    model: 'b',
    usage: {
      input_tokens: 7,
      cache_read_input_tokens: 300_000,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      server_tool_use: { web_search_requests: 2 },
      service_tier: 'batch',
    },
  },
];

interface Report {
  readonly data: readonly { starting_at: string; ending_at: string; results: readonly object[] }[];
  readonly has_more: boolean;
  readonly next_page: string | null;
}

describe.each(SDKS)('SDK $version', ({ Anthropic }) => {
  const get = (path: string, query: object, headers: object = {}, apiKey = 'sk-ant-admin01-x') =>
    new Anthropic({ apiKey, baseURL: simulator.url, maxRetries: 0 }).get(path, {
      query: { ...span, ...query },
      headers: headers as Record<string, string>,
    }) as Promise<Report>;

  it('buckets by day, tells empty days, and leads from page to page', async () => {
    simulator.bill({ usage: lines });
    const first = await get(USAGE, {});
    expect(first.data).toHaveLength(7);
    expect(first.data[0]).toMatchObject({
      starting_at: '2026-11-01T00:00:00Z',
      ending_at: '2026-11-02T00:00:00Z',
      results: [{ uncached_input_tokens: 15, output_tokens: 3, model: null, speed: null }],
    });
    expect(first.data[1]?.results).toEqual([]);
    expect(first).toMatchObject({ has_more: true, next_page: expect.stringMatching(/^page_/) });
    const second = await get(USAGE, { page: first.next_page });
    expect(second.data.map((each) => each.starting_at.slice(8, 10))).toEqual(['08', '09']);
    expect(second).toMatchObject({ has_more: false, next_page: null });
  });

  it('groups by what is asked for, and tells the rest as null', async () => {
    simulator.bill({ usage: lines });
    const groups = ['model', 'speed', 'api_key_id', 'service_tier', 'context_window'];
    const { data } = await get(USAGE, { group_by: groups, limit: 31 }, beta);
    expect(data[0]?.results).toMatchObject([
      {
        model: 'a',
        speed: 'standard',
        api_key_id: 'k1',
        uncached_input_tokens: 10,
        inference_geo: null,
      },
      { model: 'a', speed: 'fast', api_key_id: null, uncached_input_tokens: 5 },
    ]);
    expect(data[8]?.results).toEqual([
      {
        uncached_input_tokens: 7,
        cache_creation: { ephemeral_1h_input_tokens: 20, ephemeral_5m_input_tokens: 10 },
        cache_read_input_tokens: 300_000,
        output_tokens: 0,
        server_tool_use: { web_search_requests: 2 },
        ...{ model: 'b', speed: 'standard', service_tier: 'batch', context_window: '200k-1M' },
        ...{ api_key_id: null, workspace_id: null, inference_geo: null },
        ...{ account_id: null, service_account_id: null },
      },
    ]);
    const only = await get(USAGE, { models: ['b'], limit: 31 });
    expect(only.data[0]?.results).toEqual([]);
  });

  it('sums costs as decimals of cents, exactly', async () => {
    const cost = { at: at('02T01:00:00'), model: 'a', tokenType: 'output_tokens' };
    simulator.bill({
      costs: [
        { ...cost, cents: '0.1' },
        { ...cost, cents: '12.0000002' },
        { at: at('02T01:00:00'), cents: '3', costType: 'web_search' },
      ],
    });
    const { data } = await get(COST, { group_by: ['description'] });
    expect(data[1]?.results).toMatchObject([
      { amount: '12.1000002', currency: 'USD', cost_type: 'tokens', token_type: 'output_tokens' },
      { amount: '3', cost_type: 'web_search', model: null, service_tier: null },
    ]);
    const whole = await get(COST, {});
    expect(whole.data[1]?.results).toMatchObject([{ amount: '15.1000002', description: null }]);
  });

  it.each([
    [USAGE, { limit: 32 }, /limit/],
    [USAGE, { bucket_width: '1w' }, /bucket_width/],
    [USAGE, { group_by: ['shoe'] }, /group_by/],
    [USAGE, { group_by: ['speed'] }, /beta header fast-mode/],
    [USAGE, { page: 'page_x' }, /page/],
    [COST, { bucket_width: '1h' }, /bucket_width/],
    [COST, { starting_at: undefined }, /starting_at/],
    [COST, { shoe: 1 }, /shoe/],
  ])('refuses %s with %j', async (path, query, words) => {
    await expect(get(path, query)).rejects.toThrow(words);
  });

  it('wants the key of an administrator', async () => {
    await expect(get(COST, {}, {}, 'sk-ant-api03-x')).rejects.toMatchObject({ status: 401 });
  });
});

it('refuses a bill that cannot be, naming the line', () => {
  const line = { at: 1, model: 'a', usage: {} };
  expect(() => simulator.bill({ usage: [line, { ...line, modle: 'x' } as never] })).toThrow(
    /bill: there is no bill\.usage\[1\]\.modle/,
  );
  expect(() => simulator.bill({ costs: [{ at: 1, cents: '$3' }] })).toThrow(
    /bill\.costs\[0\]\.cents must be/,
  );
  expect(() => simulator.bill({ costs: [{ cents: '3' } as never] })).toThrow(
    /bill\.costs\[0\]\.at must be/,
  );
});

it('forgets the bill at reset', async () => {
  simulator.bill({ costs: [{ at: at('02T01:00:00'), cents: '1' }] });
  simulator.reset();
  const [{ Anthropic }] = SDKS as [(typeof SDKS)[number]];
  const client = new Anthropic({ apiKey: 'sk-ant-admin01-x', baseURL: simulator.url });
  const { data } = (await client.get(COST, { query: span })) as Report;
  expect(data.every(({ results }) => results.length === 0)).toBe(true);
});
