/**
 * Listens for unhandled rejections and uncaught errors, each of which would end a bot's process.
 *
 * @returns a function that waits a few turns and returns what was heard; call it once
 */
export function rejections(): () => Promise<readonly unknown[]> {
  const heard: unknown[] = [];
  const note = (reason: unknown) => void heard.push(reason);
  // vitest's own listeners would fail the run and not the test
  const others = process.listeners('unhandledRejection');
  const uncaught = process.listeners('uncaughtException');
  process.removeAllListeners('unhandledRejection').removeAllListeners('uncaughtException');
  process.on('unhandledRejection', note).on('uncaughtException', note);
  return async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners('unhandledRejection').removeAllListeners('uncaughtException');
    for (const one of others) process.on('unhandledRejection', one);
    for (const one of uncaught) process.on('uncaughtException', one);
    return heard;
  };
}
