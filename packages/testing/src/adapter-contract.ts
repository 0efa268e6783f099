import { accessCases } from './adapter-contract/access.js';
import { budgetCases } from './adapter-contract/budgets.js';
import { contextCases } from './adapter-contract/context.js';
import { errorCases } from './adapter-contract/errors.js';
import { featureCases } from './adapter-contract/features.js';
import { identityCases } from './adapter-contract/identity.js';
import { monitorCases } from './adapter-contract/monitors.js';
import { mountCases } from './adapter-contract/mount.js';
import { placeCases } from './adapter-contract/places.js';
import { silenceCases } from './adapter-contract/silence.js';
import { onStage, type Cases } from './adapter-contract/stage.js';
import type { AdapterSubject, ContractCase } from './adapter-contract/subject.js';

export type * from './adapter-contract/subject.js';

const CASES: Cases = {
  ...placeCases,
  ...contextCases,
  ...identityCases,
  ...featureCases,
  ...mountCases,
  ...accessCases,
  ...silenceCases,
  ...errorCases,
  ...budgetCases,
  ...monitorCases,
};

/**
 * What every adapter must do, as a list of cases for any test runner. A case drives a real server of
 * the framework, the real SDK and a simulator; nothing of a framework is known here.
 *
 * @example
 * const cases = adapterContract({ core, Anthropic, request: supertest, start });
 * it.each(cases)('$name', ({ run }) => run());
 */
export function adapterContract(subject: AdapterSubject): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, play]) => ({
    name,
    run: () => onStage(subject, play),
  }));
}
