import { createSimulator } from '@claude-metrics/testing';

const simulator = await createSimulator();
process.send(simulator.url);
