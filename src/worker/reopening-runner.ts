import type { TaskRunner } from '../task.js';

/** A runner that may be used again after `close()`: a session that was stopped can be started afresh. */
export function reopeningTaskRunner(open: () => TaskRunner): TaskRunner {
  let current: TaskRunner | undefined;
  return {
    run: (task, input, options) => {
      current ??= open();
      return current.run(task, input, options);
    },
    warmUp: () => {
      current ??= open();
      current.warmUp?.();
    },
    silentMs: () => current?.silentMs?.() ?? 0,
    close: async () => {
      const closing = current;
      current = undefined;
      await closing?.close();
    },
  };
}
