import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseFiles } from '../../src/lease/lease-files.js';
import {
  decodeRecord,
  directoryField,
  encodeRecord,
  generationOf,
  type LeaseRecord,
  leaseFileName,
} from '../../src/lease/lease-record.js';
import { StallDetector } from '../../src/lease/stall-detector.js';
import { TAKEOVER_MS } from '../../src/lease/timing.js';
import { follow, LeaseWorld } from './lease-world.js';

const A = { host: 'web-1', namespace: 'boot-1 pid:1', pid: 100 };
const record: LeaseRecord = {
  format: 1,
  token: 'token',
  holder: { ...A, startTime: 'boot:1', thread: 0 },
  beat: 3,
  at: '2026-11-23T00:00:00.000Z',
  released: false,
};

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}

describe('a lease record', () => {
  it('comes back as it was written, and has one size whatever it says', () => {
    expect(decodeRecord(encodeRecord(record).toString())).toEqual(record);
    const later = { ...record, beat: 2 ** 40, released: true };
    expect(encodeRecord(later).length).toBe(encodeRecord(record).length);
    const { namespace: _, ...silent } = record.holder;
    expect(decodeRecord(encodeRecord({ ...record, holder: silent }).toString())?.holder).toEqual(silent);
  });

  it('stays within its size however long the name of the host is', () => {
    const holder = { ...record.holder, host: 'h'.repeat(5000) };
    expect(encodeRecord({ ...record, holder }).length).toBe(encodeRecord(record).length);
  });

  it('leaves out the name of a folder that is too long for it', () => {
    const sizes = ['/s/lease', `/${'d'.repeat(380)}`, `/${'d'.repeat(500)}`, `/${'\u0001'.repeat(200)}`].map(
      (path) => {
        const whole = { ...record, ...directoryField(path) };
        expect(decodeRecord(encodeRecord(whole).toString())).toEqual(whole);
        return [encodeRecord(whole).length, whole.directory !== undefined];
      },
    );
    const { length } = encodeRecord(record);
    expect(sizes).toEqual([
      [length, true],
      [length, true],
      [length, false],
      [length, false],
    ]);
  });

  it('is unreadable when it is torn anywhere', () => {
    const text = encodeRecord(record).toString().trim();
    for (let length = 0; length < text.length; length++)
      expect(decodeRecord(text.slice(0, length))).toBeUndefined();
  });

  it.each<[string, object]>([
    ['format', { format: 2 }],
    ['token', { token: 1 }],
    ['beat', { beat: 'x' }],
    ['at', { at: 0 }],
    ['released', { released: 'no' }],
    ['holder', { holder: null }],
    ['pid', { holder: { ...record.holder, pid: '1' } }],
    ['host', { holder: { ...record.holder, host: 1 } }],
    ['namespace', { holder: { ...record.holder, namespace: 1 } }],
    ['start time', { holder: { ...record.holder, startTime: undefined } }],
    ['thread', { holder: { ...record.holder, thread: null } }],
  ])('is unreadable when its %s is of another kind', (_, change) => {
    expect(decodeRecord(JSON.stringify({ ...record, ...change }))).toBeUndefined();
    expect(decodeRecord('null')).toBeUndefined();
  });

  it('has its generation in the name of its file, and no other name is taken for one', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[-_\w]{1,20}$/),
        fc.integer({ min: 1, max: 2 ** 50 }),
        (clientId, generation) => {
          const name = leaseFileName(clientId, generation);
          expect(generationOf(name, clientId)).toBe(generation);
          expect(generationOf(name, `${clientId}x`)).toBeUndefined();
        },
      ),
    );
    for (const name of [
      'shop.lease',
      'shop..lease',
      'shop.0.lease',
      'shop.01.lease',
      'shop.1e3.lease',
      'shop.-1.lease',
      'shop.1.lease-new',
      `shop.${'9'.repeat(30)}.lease`,
    ]) {
      expect(generationOf(name, 'shop'), name).toBeUndefined();
    }
  });
});

describe('a lease file that can’t be read', () => {
  it('is read again for a moment: it may be just being written', async () => {
    const world = new LeaseWorld();
    world.fs.mkdirSync('/s/lease', { recursive: true });
    world.fs.writeFileSync('/s/lease/shop.4.lease', '');
    const attempt = follow(world.lease(A).acquire());
    await world.clock.advance(60);
    world.fs.writeFileSync('/s/lease/shop.4.lease', encodeRecord({ ...record, released: true }));
    await world.clock.advance(200);
    expect(attempt.outcome()).toMatchObject({ generation: 5 });
  });

  it.each(['', '{"format":1,"tok', 'x'.repeat(10_000)])(
    'is watched like one of another machine, then replaced: %.10s',
    async (text) => {
      const world = new LeaseWorld();
      world.fs.mkdirSync('/s/lease', { recursive: true });
      world.fs.writeFileSync('/s/lease/shop.4.lease', text);
      const attempt = follow(world.lease(A).acquire());
      await world.clock.advance(TAKEOVER_MS - 1000);
      expect(attempt.outcome()).toBe('pending');
      await world.clock.advance(20_000);
      expect(attempt.outcome()).toMatchObject({ generation: 5 });
      expect(world.files()).toEqual(['shop.5.lease']);
    },
  );
});

describe('a folder that can’t be used', () => {
  it.each([
    ['can’t be made', { mkdir: async () => Promise.reject(systemError('EACCES', 'mkdir')) }],
    ['can’t be listed', { readdir: async () => Promise.reject(systemError('EACCES', 'scandir')) }],
    ['can’t be written to', { open: async () => Promise.reject(systemError('EROFS', 'open')) }],
  ])('%s: the configuration is wrong, and the message names the folder', async (_, replaced) => {
    const world = new LeaseWorld();
    const lease = world.lease(A, { fs: world.fsWith(replaced as object) });
    await expect(lease.acquire()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/\/s\/lease.*sessionPath must be a folder this process may write to/),
    });
    expect(lease.isHeld()).toBe(false);
  });

  it('beside a profile has nothing to do with sessionPath: the folder itself is the one to mend', async () => {
    const world = new LeaseWorld();
    const readdir = async () => Promise.reject(systemError('EACCES', 'scandir'));
    const fs = world.fsWith({ readdir } as object);
    const lease = world.lease(A, { fs, directory: '/auth/.session-shop.persistent/lease', ownFolders: 2 });
    const failure: unknown = await lease.acquire().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/persistent\/lease can't be read \(EACCES\): it must be .*chown/),
    });
    expect(String(failure)).not.toContain('sessionPath');
  });

  it('is a file: the same', async () => {
    const world = new LeaseWorld();
    world.fs.mkdirSync('/s');
    world.fs.writeFileSync('/s/lease', '');
    await expect(world.lease(A).acquire()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('is full: that may pass, and no half file stays', async () => {
    const world = new LeaseWorld();
    const open = async (...args: Parameters<typeof world.fs.promises.open>) => {
      const handle = await world.fs.promises.open(...args);
      if (args[1] !== 'wx') return handle;
      handle.writeFile = () => Promise.reject(systemError('ENOSPC', 'write'));
      return handle;
    };
    const lease = world.lease(A, { fs: world.fsWith({ open } as object) });
    await expect(lease.acquire()).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect(world.files()).toEqual([]);
  });
});

describe('a file system without hard links', () => {
  const noLinks = { link: async () => Promise.reject(systemError('ENOTSUP', 'link')) };

  it('serves as well', async () => {
    const world = new LeaseWorld();
    const fs = world.fsWith(noLinks as object);
    expect((await world.lease(A, { fs }).acquire()).generation).toBe(1);
    expect(world.files()).toEqual(['shop.1.lease']);
    await expect(world.lease({ ...A, pid: 7 }, { fs }).acquire()).rejects.toMatchObject({
      code: 'LEASE_HELD',
    });
  });

  it('has one winner of a race', async () => {
    const world = new LeaseWorld();
    const fs = world.fsWith(noLinks as object);
    const leases = Array.from({ length: 6 }, (_, index) => world.lease({ ...A, pid: 10 + index }, { fs }));
    const racing = Promise.allSettled(leases.map((lease) => lease.acquire()));
    await world.clock.advance(2000);
    await racing;
    expect(leases.filter((lease) => lease.isHeld())).toHaveLength(1);
  });

  it('says so when it can’t be written to at all', async () => {
    const world = new LeaseWorld();
    const open = async (...args: Parameters<typeof world.fs.promises.open>) => {
      if (String(args[0]).endsWith('.1.lease')) throw systemError('EPERM', 'open');
      return world.fs.promises.open(...args);
    };
    const fs = world.fsWith({ ...noLinks, open } as object);
    await expect(world.lease(A, { fs }).acquire()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});

describe('creating a generation', () => {
  it('knows its own file again when the network repeated the request', async () => {
    const world = new LeaseWorld();
    const link: typeof world.fs.promises.link = async (from, to) => {
      await world.fs.promises.link(from, to);
      throw systemError('EEXIST', 'link');
    };
    expect((await world.lease(A, { fs: world.fsWith({ link } as object) }).acquire()).generation).toBe(1);
  });

  it('is lost when the winner swept the unfinished file away', async () => {
    const world = new LeaseWorld();
    const files = new LeaseFiles(
      '/s/lease',
      'shop',
      world.fsWith({
        link: async () => Promise.reject(systemError('ENOENT', 'link')),
      } as object),
      world.clock,
    );
    expect(await files.create(1, record)).toBe(false);
    expect(world.files()).toEqual([]);
  });
});

describe('sweeping', () => {
  it('removes what is older and what was left unfinished, of this client only', async () => {
    const world = new LeaseWorld();
    world.fs.mkdirSync('/s/lease', { recursive: true });
    for (const name of [
      'shop.1.lease',
      'shop.2.lease',
      'shop.x.lease-new',
      'other.1.lease',
      'other.x.lease-new',
      'notes',
    ]) {
      world.fs.writeFileSync(`/s/lease/${name}`, encodeRecord({ ...record, released: true }));
    }
    expect((await world.lease(A).acquire()).generation).toBe(3);
    expect(world.files()).toEqual(['notes', 'other.1.lease', 'other.x.lease-new', 'shop.3.lease']);
  });

  it('stops where something can’t be removed: a sleeper must find its own file gone first', async () => {
    const world = new LeaseWorld();
    world.fs.mkdirSync('/s/lease', { recursive: true });
    for (const generation of [1, 2]) {
      world.fs.writeFileSync(
        `/s/lease/shop.${generation}.lease`,
        encodeRecord({ ...record, released: true }),
      );
    }
    const unlink = async (path: string) => {
      if (path.endsWith('.1.lease')) throw systemError('EBUSY', 'unlink');
      return world.fs.promises.unlink(path);
    };
    const lease = world.lease(A, { fs: world.fsWith({ unlink } as object) });
    expect((await lease.acquire()).generation).toBe(3);
    expect(world.files()).toEqual(['shop.1.lease', 'shop.2.lease', 'shop.3.lease']);
  });

  it('is not waited for where files change faster than they can be read', async () => {
    const world = new LeaseWorld();
    const readdir = async () => ['shop.9.lease'];
    const attempt = world.lease(A, { fs: world.fsWith({ readdir } as object) }).acquire();
    await expect(attempt).rejects.toMatchObject({ code: 'STORE' });
  });
});

describe('a standstill', () => {
  it('is over after the needed time without a change, and begins anew with every change', () => {
    const watch = new StallDetector(3000, 1000);
    const looks: [string, number][] = [
      ['a', 0],
      ['a', 1000],
      ['b', 2000],
      ['b', 3000],
      ['b', 4000],
      ['b', 5000],
    ];
    expect(looks.map(([text, at]) => watch.look(text, at))).toEqual([
      'new',
      'still',
      'moved',
      'still',
      'still',
      'over',
    ]);
  });

  it('counts no more of a long pause than two looks', () => {
    const watch = new StallDetector(3000, 1000);
    expect([watch.look('a', 0), watch.look('a', 1_000_000), watch.look('a', 1_001_000)]).toEqual([
      'new',
      'still',
      'over',
    ]);
  });
});
