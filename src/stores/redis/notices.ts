import type { NoticeListener } from '../watched-store.js';

/** From this size on an object does not belong into memory. */
const LARGE_BYTES = 64 * 1024 * 1024;

/** What the owner of the store should know although everything works. Each is told once to each listener. */
export class Notices {
  readonly #listeners = new Set<NoticeListener>();
  readonly #told = new Set<string>();

  /** What was noticed before is told at once. */
  add(listener: NoticeListener): void {
    this.#listeners.add(listener);
    for (const notice of this.#told) listener(notice);
  }

  /** Looks at the server's answer to INFO. */
  readServer(info: string): void {
    const settings = new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
    const policy = settings.get('maxmemory_policy');
    if (policy !== undefined && policy !== 'noeviction') {
      this.#tell(
        `its maxmemory-policy is ${policy}, so it may delete the login to make room; set noeviction, or use another server`,
      );
    }
    if (settings.get('aof_enabled') === '0') {
      this.#tell(
        'it has no append-only file, so a crash takes its last minutes back, also who owns the session; set appendonly yes',
      );
    }
  }

  /** Looks at an object that was put. */
  readPut(key: string, size: number): void {
    if (/\.zip$/i.test(key)) {
      this.#tell('zips are stored in it, which takes their whole size in memory; give backups another store');
    } else if (size >= LARGE_BYTES) {
      this.#tell('an object of 64 MB or more is stored in it, which takes as much memory');
    }
  }

  #tell(notice: string): void {
    if (this.#told.has(notice)) return;
    this.#told.add(notice);
    for (const listener of this.#listeners) listener(notice);
  }
}
