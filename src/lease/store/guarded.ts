/** Calls a listener or a logger of the bot: what it throws must not disturb the lease. */
export function guarded(call: () => void, onError: (error: unknown) => void = () => undefined): void {
  try {
    call();
  } catch (error) {
    onError(error);
  }
}
