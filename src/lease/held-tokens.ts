/**
 * The tokens of all leases that this thread holds. They tell the lease of another live session in this process
 * from one that an earlier session of this process left behind. Shared by the ESM and the CJS build.
 */
export const heldTokens: Set<string> = sharedTokens();

function sharedTokens(): Set<string> {
  const key = Symbol.for('wwebjs-persistent-session.held-leases.v1');
  const shared = globalThis as unknown as Record<symbol, Set<string> | undefined>;
  shared[key] ??= new Set();
  return shared[key];
}
