import type { StoreProblem } from './store.js';

/** What went wrong without anybody waiting for it. Until somebody listens, the first few are kept. */
type Listener = (problem: StoreProblem) => void;

export interface Problems {
  tell(problem: StoreProblem): void;
  listen(listener: Listener): void;
}

const MAX_KEPT = 20;

export function createProblems(first: Listener | undefined): Problems {
  const listeners: Listener[] = first ? [first] : [];
  let kept: StoreProblem[] = [];

  function tellOne(listener: Listener, problem: StoreProblem): void {
    try {
      listener(problem);
    } catch {
      // Whoever listens to problems has to look after their own.
    }
  }

  return {
    tell(problem) {
      if (listeners.length === 0 && kept.length < MAX_KEPT) kept.push(problem);
      for (const listener of listeners) tellOne(listener, problem);
    },
    listen(listener) {
      listeners.push(listener);
      for (const problem of kept) tellOne(listener, problem);
      kept = [];
    },
  };
}
