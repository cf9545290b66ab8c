// Stores the login and the data. The login has two halves (docs/chromium-facts.md F1.1), one in IndexedDB and one in
// Local Storage; the page is logged in only if both exist and belong together.

const DATABASE = 'wawc';
const STORES = ['keys', 'meta', 'messages', 'traffic'];
const LOCAL_HALF = 'simulator.device';
const HEARTBEAT = 'simulator.heartbeat';
const RANDOM_BYTES_AT_ONCE = 65_536; // the maximum of crypto.getRandomValues

let connection;

/** One connection, even for simultaneous calls: a forgotten second one would block the deletion for ever. */
function database() {
  connection ??= open();
  return connection;
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      for (const name of STORES) request.result.createObjectStore(name);
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('The database is blocked by another page.'));
  });
}

/** Runs `work(store)` in one transaction; when it is written, resolves with the result of the returned request. */
async function transact(name, mode, work) {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(name, mode);
    const request = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error ?? new Error('The transaction was aborted.'));
    transaction.onerror = () => reject(transaction.error);
  });
}

/** The stored login, or undefined if a half is missing or the halves do not belong together. */
export async function readLogin() {
  const local = JSON.parse(localStorage.getItem(LOCAL_HALF) ?? 'null');
  const stored = await transact('keys', 'readonly', (store) => store.get('credential'));
  if (local === null || stored === undefined || local.deviceId !== stored.deviceId) return undefined;
  return { ...stored, localStorageSecret: local.secret };
}

export async function writeLogin({ deviceId, account, databaseSecret, localStorageSecret }) {
  await transact('keys', 'readwrite', (store) =>
    store.put({ deviceId, account, databaseSecret }, 'credential'),
  );
  localStorage.setItem(LOCAL_HALF, JSON.stringify({ deviceId, account, secret: localStorageSecret }));
}

/** The keys that the QR shows. They are made before the pairing, and are part of the login after it. */
export async function readOrCreateNoiseKeys() {
  const known = await transact('keys', 'readonly', (store) => store.get('noise'));
  if (known !== undefined) return known;
  const keys = { noise: randomBytes(32), identity: randomBytes(32), advSecret: base64(randomBytes(32)) };
  await transact('keys', 'readwrite', (store) => store.put(keys, 'noise'));
  return keys;
}

/** Deletes everything, as at a logout. */
export async function wipe() {
  localStorage.clear();
  const db = await connection?.catch(() => undefined); // if the opening failed, there is nothing to close
  db?.close();
  connection = undefined;
  await new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(DATABASE);
    request.onsuccess = resolve;
    request.onerror = resolve; // the database is damaged, and Chromium itself clears it when it is opened
    request.onblocked = resolve;
  });
}

/** A counter that only increases, like the ratchets of the real protocol; it reveals a profile that was rolled back. */
export async function advanceRatchet() {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction('meta', 'readwrite');
    const store = transaction.objectStore('meta');
    let next = 0;
    const request = store.get('ratchet');
    request.onsuccess = () => {
      next = (request.result ?? 0) + 1;
      store.put(next, 'ratchet');
    };
    transaction.oncomplete = () => resolve(next);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const readRatchet = async () =>
  (await transact('meta', 'readonly', (store) => store.get('ratchet'))) ?? 0;

export const writeMessage = (record) =>
  transact('messages', 'readwrite', (store) => store.put(record, record.id));

export const readMessages = () => transact('messages', 'readonly', (store) => store.getAll());

export const countTraffic = () => transact('traffic', 'readonly', (store) => store.count());

/** Writes `count` random values of `bytes` bytes under the keys from `firstKey` on. */
export async function writeTraffic(firstKey, count, bytes) {
  await transact('traffic', 'readwrite', (store) => {
    for (let i = 0; i < count; i++) store.put(randomBytes(bytes), firstKey + i);
  });
}

/** Writes a little to Local Storage, as the real page does. */
export function beat() {
  localStorage.setItem(HEARTBEAT, String(Date.now()));
}

function randomBytes(length) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_BYTES_AT_ONCE) {
    crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES_AT_ONCE));
  }
  return bytes;
}

export function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
