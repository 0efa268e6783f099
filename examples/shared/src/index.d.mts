import type Anthropic from '@anthropic-ai/sdk';
import type { AlertRule, BudgetOptions, Store } from '@claude-metrics/core';
import type { Simulator } from '@claude-metrics/testing';
import type { Server } from 'node:http';

export const MODELS: Readonly<Record<'chat' | 'summarise' | 'classify', string>>;
export const HOUSE_STYLE: string;
export function question(content: string): { role: 'user'; content: string };
export function textOf(message: Pick<Anthropic.Message, 'content'>): string;

/** What the application may spend, and what people are told. */
export const budgets: readonly BudgetOptions[];
export const alerts: readonly AlertRule[];

/** The file of `DB_FILE`; memory where there is no driver for it. */
export function openStore(): Store;
export function placeOfFigures(): string;

/** Who may sign in, by bearer token. */
export const users: ReadonlyMap<string, { readonly id: string }>;

export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

export interface Start {
  (parts: { readonly client: Anthropic; readonly port: number }): Promise<Running>;
}

export interface Served {
  readonly app: { listen(port: number, host: string): Server };
  readonly monitor: { close(): Promise<void> };
}

export function serve(application: Served, port: number): Promise<Running>;
export function runExample(start: Start): Promise<void>;
export function startSimulator(): Promise<Simulator>;
export function createTraffic(parts: { readonly url: string }): {
  step(): Promise<void>;
  steps(count: number): Promise<void>;
};
