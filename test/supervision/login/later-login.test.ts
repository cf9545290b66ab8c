import { describe, expect, it } from 'vitest';
import type { SessionContext } from '../../../src/supervision/context/session-context.js';
import type { SessionSnapshots } from '../../../src/supervision/context/session-snapshots.js';
import { LaterLogin } from '../../../src/supervision/login/later-login.js';

const at = (hour: number) => `2026-12-01T${String(hour).padStart(2, '0')}:00:00.000Z`;

/** What {@link LaterLogin.savedSince} says of the login `anna`, which is in place since 10 o'clock. */
async function savedSince(...saved: [lineage: string, hour: number][]): Promise<string | undefined> {
  const lastHere = saved.map(([lineage, hour]) => ({ info: { lineage, createdAt: at(hour) } }));
  const record = { current: { lineage: 'anna', placeLogin: { lineage: 'anna', since: at(10) } } };
  const snapshots = {
    sorted: () => Promise.resolve({ lastHere }),
    candidates: (lineage: string) => Promise.resolve([lineage]),
  };
  const laterLogin = new LaterLogin({ record } as unknown as SessionContext, {
    snapshots: snapshots as unknown as SessionSnapshots,
  });
  const [found] = (await laterLogin.savedSince()) as unknown as readonly string[];
  return found;
}

describe('LaterLogin.savedSince', () => {
  it('finds a login that was saved here after the one in place', async () => {
    expect(await savedSince(['ben', 12], ['anna', 11])).toBe('ben');
  });

  it('leaves alone what was saved before the one in place came here, for example by a restore(id)', async () => {
    expect(await savedSince(['ben', 9], ['anna', 8])).toBeUndefined();
  });

  it('leaves alone what is older than the last copy of the one in place', async () => {
    expect(await savedSince(['anna', 13], ['ben', 12])).toBeUndefined();
    expect(await savedSince()).toBeUndefined();
  });
});
