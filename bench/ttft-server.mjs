import { createSimulator } from '@claude-metrics/testing';

const simulator = await createSimulator({ respond: { timing: JSON.parse(process.argv[2]) } });
process.send(simulator.url);
