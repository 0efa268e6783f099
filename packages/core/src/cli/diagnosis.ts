/**
 * What a look at an application finds.
 *
 * - **problem**: figures or limits are wrong because of it. **warning**: they may become so, or cannot be
 *   trusted as far as one would think.
 */
export interface Diagnosis {
  readonly check: Check;
  readonly level: 'problem' | 'warning';
  readonly text: string;
  readonly fix: string;
}

export type Check =
  | 'middleware order'
  | 'unobserved clients'
  | 'double instrumentation'
  | 'workers'
  | 'prices'
  | 'models'
  | 'open mount'
  | 'clock'
  | 'time zone'
  | 'health';

export const CHECKS: readonly Check[] = [
  'middleware order',
  'unobserved clients',
  'double instrumentation',
  'workers',
  'prices',
  'models',
  'open mount',
  'clock',
  'time zone',
  'health',
];
