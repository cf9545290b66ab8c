// A process that wants to own a session: it claims the lease, puts snapshots under its fencing number while it has it, gives
// it up now and then, and says on its standard output what it did. Its parent stops, kills and cuts it off at random.

import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { thisMachine } from '../../../src/lease/judge-holder.js';
import { ProcessBeat } from '../../../src/lease/store/process-beat.js';
import { StoreLease } from '../../../src/lease/store/store-lease.js';
import { silentLogger } from '../../../src/logger.js';
import { storeFromUrl } from '../../../src/stores/store-from-url.js';
import { WatchedStore } from '../../../src/stores/watched-store.js';
import type { Deed, Snapshot } from './deeds.js';
import { fastClock, fastStore } from './fast-time.js';

const [url = '', clientId = '', aheadMs = '0'] = process.argv.slice(2);
const ME = randomUUID().slice(0, 8);
const BYTES = 40_000;

const clock = fastClock(Number(aheadMs));
const given = await storeFromUrl(url);
const store = new WatchedStore(fastStore(given), { clock, name: 'shared' });
// A machine of its own: nobody else can prove that it is dead.
const machine = { ...thisMachine, hostname: () => ME, namespace: async () => ME };
const beat = new ProcessBeat({ store, clock, logger: silentLogger, machine });
const lease = new StoreLease({
  ...{ clientId, store, beat, clock, logger: silentLogger, machine },
  highestKnown,
  onLost: () => say({ did: 'lost' }),
  onReclaimed: ({ generation }) => say({ did: 'acquired', generation }),
});

for (let number = 0; ; ) {
  try {
    const { generation } = await lease.acquire({ waitMs: 60_000 });
    say({ did: 'acquired', generation });
    for (const end = number + 1 + Math.floor(Math.random() * 40); number < end; number++) {
      if (!(await lease.confirm())) break;
      await putSnapshot(number).catch((error: unknown) => say({ did: 'failed', why: String(error) }));
      await pause(Math.random() * 20);
    }
    if (Math.random() < 0.5) await lease.release();
  } catch (error) {
    say({ did: 'failed', why: String(error) });
  }
  await pause(20);
}

/** As a save does: first the bytes, then what lists them, under the fencing number that the process has at that moment. */
async function putSnapshot(number: number): Promise<void> {
  const { generation } = lease;
  lease.assertHeld();
  const bytes = Buffer.alloc(BYTES, `${ME} ${number} `);
  const object = `${clientId}/objects/${ME}-${number}`;
  const fence = store.capabilities.fencedPut ? { fence: { name: clientId, generation } } : {};
  await store.put(object, bytes, fence);
  lease.assertHeld();
  const snapshot: Snapshot = { by: ME, generation, number, object, sha256: sha256Of(bytes) };
  const key = `${clientId}/snapshots/${String(generation).padStart(6, '0')}-${ME}-${number}.json`;
  await store.put(key, Buffer.from(JSON.stringify(snapshot)), fence);
  if (store.capabilities.fencedPut) {
    await store.put(`${clientId}/newest.json`, Buffer.from(JSON.stringify(snapshot)), fence);
  }
  say({ did: 'put', key });
}

async function highestKnown(): Promise<number> {
  let highest = 0;
  for await (const { key } of store.list(`${clientId}/snapshots/`)) {
    highest = Math.max(highest, Number.parseInt(key.split('/').pop() ?? '', 10));
  }
  return highest;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function say(deed: Deed): void {
  process.stdout.write(`${JSON.stringify(deed)}\n`);
}
