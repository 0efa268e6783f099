/** Long work in turns, so that requests are not kept waiting by it. */
const TURN_MS = 2;

export interface Turns {
  /** Lets others have their turn, if this one has taken long enough. */
  pass(): Promise<void>;
}

export function startTurns(): Turns {
  let began = performance.now();
  return {
    async pass() {
      if (performance.now() - began < TURN_MS) return;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      began = performance.now();
    },
  };
}
