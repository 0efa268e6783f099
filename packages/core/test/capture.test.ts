import { runScenario, WAYS, type Run } from './capture/run.js';
import { COMPLETE, FAILED, LEFT, type Scenario } from './capture/scenarios.js';
import { SDKS } from './capture/sdk.js';
import type { CallRecord } from '../src/record.js';

const SCENARIOS = [...COMPLETE, ...LEFT, ...FAILED];

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ version, Anthropic }) => {
  const bare = new Map<string, Promise<Run>>();
  const bareRun = (scenario: Scenario) => {
    const run = bare.get(scenario.name) ?? runScenario(scenario, Anthropic, null);
    bare.set(scenario.name, run);
    return run;
  };

  it('is the version that it says', () => {
    expect(version).toMatch(Anthropic === SDKS[0]?.Anthropic ? /^1\.12\.0$/ : /^0\.103\.0$/);
  });

  describe.each(WAYS)('with $name', (way) => {
    it.each(SCENARIOS)('$name leaves one record, and looks as it does unobserved', async (each) => {
      const unobserved = await bareRun(each);
      const observed = await runScenario(each, Anthropic, way);

      expect(observed.seen).toEqual(unobserved.seen);
      expect(observed.wire).toEqual(unobserved.wire);
      expect(observed.faults).toEqual({});
      const { records, early } = observed;
      expect(records).toHaveLength(each.records ?? 1);
      expect(early).toBeGreaterThanOrEqual(each.late === true ? 0 : records.length);
      for (const record of records) expect(summary(record, each)).toEqual(each.record);
    });
  });
});

/** Those facts of a record that the scenario speaks of. */
function summary(record: CallRecord, { record: expected }: Scenario): unknown {
  const facts: Record<string, unknown> = {
    ...record,
    attempts: record.attempts.map(({ status }) => status),
    errorKind: record.error?.kind ?? null,
  };
  return Object.fromEntries(Object.keys(expected).map((name) => [name, facts[name]]));
}
