import type { AdapterOptions as Options } from '@claude-metrics/core';
import type { KoaContext, KoaState } from './context.js';

/** Options of `claudeMonitor()`. `Ctx` is the type of context your functions are written for. */
export type AdapterOptions<Ctx extends KoaContext = KoaContext<KoaState>> = Options<Ctx>;
