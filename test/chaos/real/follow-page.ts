import { setTimeout as pause } from 'node:timers/promises';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { ensureChromium } from '../../../scripts/chromium.js';
import { chromiumArguments } from '../../simulator/client.js';

const ADDRESS = 'https://web.whatsapp.com/';
const LAUNCH_PATIENCE_MS = 60_000;

/** The load that a page puts on its databases. */
export interface Load {
  readonly bytesPerSecond: number;
  readonly recordBytes: number;
  readonly databases: number;
  /** Whether some values are so large, or blobs, that Chromium keeps them in files of their own. */
  readonly blobs: boolean;
  /** Whether whole databases are deleted and made again. */
  readonly deletes: boolean;
  readonly seed: number;
}

/** A page of WhatsApp Web's address that only reads and writes databases; no server is asked. */
export class DatabasePage {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  static async open(profileDir: string): Promise<DatabasePage> {
    const browser = await puppeteer.launch({
      executablePath: ensureChromium(),
      userDataDir: profileDir,
      args: chromiumArguments(1),
      timeout: LAUNCH_PATIENCE_MS,
    });
    const page = (await browser.pages())[0] ?? (await browser.newPage());
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      const body = '<!doctype html><title>databases</title>';
      void request.respond({ status: 200, contentType: 'text/html', body }).catch(() => undefined);
    });
    const opened = new DatabasePage(browser, page);
    await opened.#load();
    return opened;
  }

  async #load(): Promise<void> {
    await this.#page.goto(ADDRESS, { timeout: LAUNCH_PATIENCE_MS });
    await this.#page.evaluate(SCRIPT);
  }

  /** Writes so many bytes as fast as it goes. */
  async fill(load: Load, bytes: number): Promise<void> {
    await this.#page.evaluate(`localStorage.setItem('half', 'of the login')`);
    await this.#page.evaluate(`work.fill(${JSON.stringify(load)}, ${bytes})`);
  }

  /** Begins steady writes, overwrites, deletions and reads. */
  async begin(load: Load): Promise<void> {
    await this.#page.evaluate(`void work.begin(${JSON.stringify(load)})`);
  }

  /** Opens the page anew, so that its databases are closed and opened again; the load goes on. */
  async reload(load: Load): Promise<void> {
    await this.#page.goto('about:blank');
    await pause(2500); // Chromium closes a database that nobody uses after two seconds
    await this.#load();
    await this.begin({ ...load, seed: load.seed + 1 });
  }

  /** Every record of every database: its place, and a hash of its value. */
  async records(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#page.evaluate('work.records()')) as [string, string][]);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  /** Ends the browser and its helpers with SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#browser.process();
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
    await pause(300); // its helpers
  }
}

/** Runs in the page. */
const SCRIPT = `globalThis.work = (() => {
  const open = (name) => new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => { for (const store of ['one', 'two']) request.result.createObjectStore(store); };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const remove = (name) => new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
  const diceOf = (seed) => { let state = seed >>> 0; return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * limit);
  }; };
  const bytesOf = (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return bytes;
  };
  const done = (transaction) => new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  const KEYS = 40000;
  async function write(connections, load, below, bytes) {
    const connection = connections[below(connections.length)];
    const store = connection.transaction(['one', 'two'], 'readwrite');
    let written = 0;
    while (written < bytes) {
      const target = store.objectStore(below(4) === 0 ? 'two' : 'one');
      const key = below(KEYS);
      const kind = below(100);
      if (kind < 8) { target.delete(key); written += 50; continue; }
      if (load.blobs && kind < 12) {
        const size = 70000 + below(120000);
        target.put(kind < 10 ? bytesOf(size) : new Blob([bytesOf(1 + below(20000))]), key);
        written += size;
        continue;
      }
      target.put({ key, value: bytesOf(1 + below(load.recordBytes * 2)) }, key);
      written += load.recordBytes;
    }
    await done(store);
    return written;
  }
  const names = (load) => Array.from({ length: load.databases }, (_, index) => 'database' + index);
  async function fill(load, bytes) {
    const below = diceOf(load.seed);
    const connections = await Promise.all(names(load).map(open));
    for (let written = 0; written < bytes; ) written += await write(connections, load, below, 262144);
    for (const connection of connections) connection.close();
  }
  async function begin(load) {
    const below = diceOf(load.seed);
    const connections = await Promise.all(names(load).map(open));
    const startedAt = performance.now();
    let written = 0;
    for (;;) {
      const due = ((performance.now() - startedAt) / 1000) * load.bytesPerSecond;
      if (written >= due) { await new Promise((go) => setTimeout(go, 20)); continue; }
      written += await write(connections, load, below, Math.min(65536, load.bytesPerSecond / 10));
      if (below(20) === 0) {
        const reading = connections[0].transaction('one').objectStore('one').getAllKeys(undefined, 300);
        await new Promise((go) => { reading.onsuccess = go; reading.onerror = go; });
      }
      if (load.deletes && below(60) === 0) {
        const index = below(connections.length);
        connections[index].close();
        await remove('database' + index);
        connections[index] = await open('database' + index);
      }
    }
  }
  async function hashOf(value) {
    if (value instanceof Blob) return 'blob ' + (await hashOf(new Uint8Array(await value.arrayBuffer())));
    if (!(value instanceof Uint8Array)) return value.key + ' ' + (await hashOf(value.value));
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', value));
    return value.length + ' ' + Array.from(digest.subarray(0, 6), (byte) => byte.toString(16)).join('.');
  }
  async function records() {
    const found = [];
    for (const { name } of await indexedDB.databases()) {
      const connection = await open(name);
      for (const store of connection.objectStoreNames) {
        const values = [];
        await new Promise((resolve, reject) => {
          const reading = connection.transaction(store).objectStore(store).openCursor();
          reading.onerror = () => reject(reading.error);
          reading.onsuccess = () => {
            const cursor = reading.result;
            if (!cursor) return resolve();
            values.push([cursor.key, cursor.value]);
            cursor.continue();
          };
        });
        for (const [key, value] of values) {
          const hash = await hashOf(value).catch((error) => 'unreadable: ' + error.name);
          found.push([name + '/' + store + '/' + key, hash]);
        }
        found.push([name + '/' + store, 'there']);
      }
      connection.close();
    }
    return found;
  }
  return { fill, begin, records };
})(); undefined`;
