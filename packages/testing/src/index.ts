// The API of @claude-metrics/testing. docs/testing.md describes it.

export {
  createSimulator,
  type Responder,
  type Simulator,
  type SimulatorOptions,
} from './simulator.js';
export { answers, type Answers } from './answers.js';
export { replay } from './replay.js';
export type {
  Answer,
  ContentBlock,
  Ending,
  SimulatedError,
  SimulatedUsage,
  Timing,
} from './answer.js';
export type { SimulatedRequest } from './request.js';
export type { Bill, BilledCost, BilledUsage } from './bill.js';
export {
  adapterContract,
  type AdapterSubject,
  type ContractApplication,
  type ContractCase,
  type ContractRequest,
  type ContractRoute,
  type ContractServer,
} from './adapter-contract.js';
export {
  storeContract,
  type ContractStore,
  type OpenedStore,
  type StoreCapability,
  type StoreContract,
  type StoreContractCore,
  type StoreOpenOptions,
  type StoreSubject,
} from './store-contract.js';
