import { openRepository } from '../../../src/snapshot/repository/open-repository.js';
import type { SnapshotRepository } from '../../../src/snapshot/repository.js';
import { RememberingStore } from '../../../src/snapshot/store-calls/remembering-store.js';
import type { SessionStore } from '../../../src/stores/session-store.js';
import type { SnapshotInfo } from '../../../src/types.js';
import { holderOf } from '../support/holder-of.js';
import { TinyStore } from '../support/memory-store.js';
import { type Files, LEVELDB, World } from '../support/world.js';

const KiB = 1024;

/** Saves of one client id in a remote store, which the process remembers as the owner of the session does. */
export class RemoteSaves<Store extends SessionStore> {
  readonly world = new World();
  readonly store: Store;
  repository: SnapshotRepository;

  constructor(store: Store) {
    this.store = store;
    this.repository = this.reopen();
  }

  /** As a new process sees the store. */
  reopen(): SnapshotRepository {
    const { fs, runner, clock } = this.world;
    const memory = new RememberingStore(this.store, { prefix: 'shop/', clock, period: () => 'first' });
    const options = { store: memory, memory, clientId: 'shop', runner, fs, clock };
    this.repository = openRepository({ kind: 'save' }, options);
    return this.repository;
  }

  async save(files: Files): Promise<SnapshotInfo> {
    this.world.now += 120_000;
    const made = await this.repository.create(await this.world.capture(files), this.world.context());
    return made.snapshot;
  }

  async restored(id: string): Promise<Record<string, string> | undefined> {
    await this.world.fs.promises.rm('/out', { recursive: true, force: true });
    await this.repository.restore(id, '/out');
    return this.world.read('/out');
  }
}

/** Saves in a store that can be damaged. */
export class Packed extends RemoteSaves<TinyStore> {
  constructor() {
    super(new TinyStore());
  }

  get packs(): string[] {
    return this.store.keys().filter((key) => key.includes('/packs/'));
  }

  /** Damages a byte of a content where it lies. */
  rot(files: Files, path: string): void {
    const { key, at } = holderOf(this.store, files[path]);
    this.store.rot(key, at + 1);
  }

  async failing(): Promise<string[]> {
    const ids: string[] = [];
    for (const { id } of await this.repository.list()) {
      await this.repository.verify(id).catch(() => ids.push(id));
    }
    return ids;
  }
}

/** The path of a table of a profile. */
export function table(number: number): string {
  return `${LEVELDB}/${String(number).padStart(6, '0')}.ldb`;
}

/** Bytes that are no others, and that have no pattern. */
export function bytesOf(seed: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < size; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
    if (at + 1 < size) bytes[at + 1] = state >>> 16;
    if (at + 2 < size) bytes[at + 2] = state >>> 8;
  }
  bytes.writeUInt32LE(seed >>> 0, 0);
  return bytes;
}

/** A profile with so many tables of this size, and the small files that every database has. */
export function profileOf(tables: number, tableBytes = 100 * KiB): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {
    [`${LEVELDB}/CURRENT`]: Buffer.from('MANIFEST-000001\n'),
    [`${LEVELDB}/MANIFEST-000001`]: bytesOf(9_000, 700),
    [`${LEVELDB}/000900.log`]: bytesOf(9_001, 20 * KiB),
    'Default/Local Storage/leveldb/CURRENT': Buffer.from('MANIFEST-000001\n'),
    'Default/Local Storage/leveldb/000003.log': bytesOf(9_002, 5 * KiB),
  };
  for (let number = 1; number <= tables; number++) files[table(number)] = bytesOf(number, tableBytes);
  return files;
}
