import { createMonitor, type Monitor, type Snapshot } from '@claude-metrics/core';

export const monitor: Monitor = createMonitor({ log: false });
export const snapshot: Promise<Snapshot> = monitor.snapshot();
