import { createHash } from 'node:crypto';
import type { SessionStore } from '../../../src/stores/session-store.js';
import type { Snapshot } from './deeds.js';

/** What must hold in a store whatever happened to its writers; each text is a violation. */
export async function checkStore(
  store: SessionStore,
  clientId: string,
  acknowledged: Iterable<string>,
): Promise<{ readonly listed: number; readonly owners: number; readonly violations: readonly string[] }> {
  const violations: string[] = [];
  const writers = new Map<number, Set<string>>();
  const listed = new Set<string>();
  for await (const { key } of store.list(`${clientId}/snapshots/`)) {
    listed.add(key);
    const snapshot = JSON.parse((await bytesOf(store, key))?.toString() ?? 'null') as Snapshot | null;
    if (snapshot === null) {
      violations.push(`${key} is listed and not there`);
      continue;
    }
    writers.set(snapshot.generation, (writers.get(snapshot.generation) ?? new Set()).add(snapshot.by));
    const bytes = await bytesOf(store, snapshot.object);
    if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== snapshot.sha256) {
      violations.push(`${key} is listed without its bytes`);
    }
  }
  for (const [generation, by] of writers) {
    if (by.size > 1) violations.push(`number ${generation} had the writers ${[...by].join(', ')}`);
  }
  for (const key of acknowledged) if (!listed.has(key)) violations.push(`${key} was put and is not listed`);
  return { listed: listed.size, owners: writers.size, violations };
}

export async function bytesOf(store: SessionStore, key: string): Promise<Buffer | undefined> {
  const found = await store.get(key);
  return found && Buffer.concat(await found.body.toArray());
}
