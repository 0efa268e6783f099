/** What does not come in time counts as failed: whatever hangs must hold up nothing else. */
export async function inTime<T>(
  answer: T | Promise<T>,
  limitMs: number,
  text = `no answer within ${limitMs} ms`,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(text)), limitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
