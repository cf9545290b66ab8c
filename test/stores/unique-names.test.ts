import { describe, expect, it } from 'vitest';
import { uniqueStoreNames } from '../../src/stores/unique-names.js';
import { MemoryStore } from '../../src/testing/memory-store.js';

function namesOf(...given: readonly string[]): readonly string[] {
  return [...uniqueStoreNames(given.map((name) => new MemoryStore({ name }))).values()];
}

describe('the names of the stores of a session', () => {
  it('are their own where these differ', () => {
    expect(namesOf('file-system', 'backup-dir', 's3')).toEqual(['file-system', 'backup-dir', 's3']);
  });

  it('get a number from the second of a name on', () => {
    expect(namesOf('file-system', 'nas', 'nas', 'nas')).toEqual(['file-system', 'nas', 'nas-2', 'nas-3']);
  });

  it('are never one that another store was given', () => {
    expect(namesOf('nas', 'nas', 'nas-2')).toEqual(['nas', 'nas-3', 'nas-2']);
    expect(namesOf('nas-2', 'nas', 'nas', 'nas-2')).toEqual(['nas-2', 'nas', 'nas-3', 'nas-2-2']);
  });

  it('are one for a store that is there twice', () => {
    const store = new MemoryStore({ name: 'nas' });
    expect([...uniqueStoreNames([store, store]).entries()]).toEqual([[store, 'nas']]);
  });
});
