/**
 * The tokens of all leases held by this thread: what tells a lease of another session of this process from one that
 * a session of this process left behind. Shared by the ESM and the CJS build.
 */
export const heldTokens: Set<string> = sharedTokens();

function sharedTokens(): Set<string> {
  const key = Symbol.for('wwebjs-persistent-session.held-leases.v1');
  const shared = globalThis as unknown as Record<symbol, Set<string> | undefined>;
  shared[key] ??= new Set();
  return shared[key];
}
