/** The load of a page: records of 2 to 6 KB under random keys. */
export interface RecordLoad {
  readonly bytesPerSecond: number;
  /** Number of different keys; about half of them are in use. */
  readonly keys: number;
}

const MEAN_BYTES = 4096;

/** So many keys that a profile of this size has about two for each record, so that the page inserts and overwrites. */
export function keysFor(megabytes: number): number {
  return Math.round((2 * megabytes * 1e6) / MEAN_BYTES);
}

/** Runs in the simulator's page, whose database has a store `traffic`. */
export const RECORD_SCRIPT = `globalThis.records ??= (() => {
  const opened = new Promise((resolve, reject) => {
    const request = indexedDB.open('wawc', 1);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  let written = 0;
  async function write(keys, bytes) {
    const transaction = (await opened).transaction('traffic', 'readwrite');
    const store = transaction.objectStore('traffic');
    for (let done = 0; done < bytes; ) {
      const record = crypto.getRandomValues(new Uint8Array(2048 + Math.floor(Math.random() * 4097)));
      store.put(record, 'record' + Math.floor(Math.random() * keys));
      done += record.length;
      written += record.length;
    }
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  }
  async function fill(keys, bytes) {
    for (let done = 0; done < bytes; done += 262144) await write(keys, 262144);
  }
  function begin(keys, bytesPerSecond) {
    const from = performance.now();
    const before = written;
    let busy = false;
    setInterval(async () => {
      const due = ((performance.now() - from) / 1000) * bytesPerSecond - (written - before);
      if (busy || due < 4096) return;
      busy = true;
      await write(keys, due);
      busy = false;
    }, 100);
  }
  return { fill, begin, written: () => written };
})(); undefined`;
