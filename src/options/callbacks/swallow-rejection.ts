/**
 * Handles the rejection of the value that a callback of the bot returned, if it is a promise of any kind: an
 * unhandled rejection would end the process. Never throws.
 */
export function swallowRejection(
  returned: unknown,
  onRejected: (error: unknown) => void = () => undefined,
): void {
  if (!isThenable(returned)) return;
  // Wrapped in a native promise, because a foreign `then` may throw or call back twice.
  Promise.resolve(returned).then(undefined, onRejected);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    return typeof (value as { readonly then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}
