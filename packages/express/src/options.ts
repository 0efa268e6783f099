import type { IncomingMessage } from 'node:http';
import type { AdapterOptions as Options } from '@claude-metrics/core';
import type { ExpressRequest } from './request.js';

/** Options of `claudeMonitor()`. `Req` is the type of request your functions are written for. */
export type AdapterOptions<Req extends IncomingMessage = ExpressRequest> = Options<Req>;
