/**
 * Until when answers are waited for. All are waited for equally long, so those asked first are due first,
 * and one timer does for all of them: setting and clearing one each takes longer than many an answer.
 */
export interface Deadlines {
  /** `late` is called when it takes too long; not after what is returned was called. */
  begin(late: () => void): () => void;
}

interface Waiting {
  readonly due: number;
  late: (() => void) | null;
}

/** Places of what is over that are kept in front of the list. */
const MANY_OVER = 256;

export function createDeadlines(timeoutMs: number): Deadlines {
  let waiting: Waiting[] = [];
  let first = 0;
  let armed = false;

  function arm(): void {
    armed = true;
    const restMs = waiting[first]!.due - performance.now();
    // Whoever waits has a connection that keeps the process alive, or a client that makes a new one.
    setTimeout(look, Math.max(1, Math.ceil(restMs))).unref();
  }

  function skip(): void {
    while (first < waiting.length && waiting[first]!.late === null) first += 1;
    if (first === waiting.length || first > MANY_OVER) {
      waiting = waiting.slice(first);
      first = 0;
    }
  }

  function look(): void {
    const now = performance.now();
    armed = false;
    for (skip(); first < waiting.length && waiting[first]!.due <= now; skip()) {
      const { late } = waiting[first]!;
      waiting[first]!.late = null;
      late?.();
    }
    if (waiting.length > first) arm();
  }

  return {
    begin(late) {
      const entry: Waiting = { due: performance.now() + timeoutMs, late };
      waiting.push(entry);
      if (!armed) arm();
      return () => {
        entry.late = null;
        skip();
      };
    },
  };
}
