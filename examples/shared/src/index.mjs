export { startSimulator } from './claude.mjs';
export { alerts, budgets } from './limits.mjs';
export { MODELS, HOUSE_STYLE, question, textOf } from './prompts.mjs';
export { runExample, serve, users } from './run.mjs';
export { openStore, placeOfFigures } from './store.mjs';
export { createTraffic } from './traffic.mjs';
