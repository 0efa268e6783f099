/** Text that one side adds and the other side reads, when it comes. */
export interface Queue {
  add(text: string): void;
  end(): void;
  read(): AsyncIterable<string>;
}

export function createQueue(): Queue {
  const texts: string[] = [];
  let ended = false;
  let wake: () => void = () => {};
  return {
    add(text) {
      texts.push(text);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *read() {
      for (;;) {
        const text = texts.shift();
        if (text !== undefined) yield text;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
