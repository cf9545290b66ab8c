// The load: steady writes and bulk writes to IndexedDB.

import { advanceRatchet, countTraffic, writeTraffic } from './storage.js';

const TICK_MS = 100;
const SMALL_BYTES = 8 * 1024;
const LARGE_BYTES = 256 * 1024; // Chromium stores values above 64 KB as files outside of its tables
const BULK_VALUE_BYTES = 32 * 1024;
const MEGABYTE = 1024 * 1024;
const RING_FIRST_KEY = 1_000_000_000; // keys of overwritten values, separate from those of added values

let timer;

export function setTraffic(traffic) {
  clearInterval(timer);
  if (!traffic) return;
  const { bytesPerSecond, largeValues = false, keepMegabytes } = traffic;
  const bytes = largeValues ? LARGE_BYTES : SMALL_BYTES;
  const kept = keepMegabytes === undefined ? Infinity : Math.ceil((keepMegabytes * MEGABYTE) / bytes);
  let due = 0;
  let key = 0;
  let busy = false;
  timer = setInterval(async () => {
    due += (bytesPerSecond * TICK_MS) / 1000;
    const count = Math.floor(due / bytes);
    if (count === 0 || busy) return;
    busy = true;
    due -= count * bytes;
    if (kept === Infinity && key === 0) key = await countTraffic();
    await writeTraffic(kept === Infinity ? key : RING_FIRST_KEY + key, count, bytes);
    await advanceRatchet();
    key = kept === Infinity ? key + count : (key + count) % kept;
    busy = false;
  }, TICK_MS);
}

export async function writeBulk(megabytes, largeValues) {
  const bytes = largeValues ? MEGABYTE : BULK_VALUE_BYTES;
  const count = MEGABYTE / bytes;
  const first = await countTraffic();
  for (let done = 0; done < megabytes; done++) await writeTraffic(first + done * count, count, bytes);
  await advanceRatchet();
}
