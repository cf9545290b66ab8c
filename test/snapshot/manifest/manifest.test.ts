import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/snapshot/manifest/limits.js';
import {
  buildManifest,
  contentDigest,
  parseManifest,
  serializeManifest,
} from '../../../src/snapshot/manifest/manifest.js';
import {
  compactTime,
  findSnapshotId,
  isSnapshotId,
  snapshotId,
  timeOfId,
} from '../../../src/snapshot/manifest/snapshot-id.js';
import type { SnapshotContext, SnapshotFile } from '../../../src/types.js';
import { LIBRARY_VERSION } from '../../../src/version.js';
import { sha256 } from '../support/local-store.js';

const context: SnapshotContext = {
  clientId: 'shop',
  lineage: '0b5c5c1e-lineage',
  run: 3,
  profile: { path: '/bot/auth/session-shop', relativePath: 'auth/session-shop' },
  account: `scrypt$${'a'.repeat(32)}$${'b'.repeat(64)}`,
  createdAt: '2026-11-23T05:14:09.123Z',
  capture: 'hot',
  settled: true,
  state: 'ready',
  browserVersion: 'Chrome/156.0.8078.79',
};
const files: SnapshotFile[] = [
  { path: 'Default/b', size: 2, sha256: 'b'.repeat(64) },
  { path: 'Default/a', size: 1, sha256: 'a'.repeat(64) },
];
const manifest = buildManifest('save', context, files, 'seed');

/** A manifest with these fields and a checksum that fits: only its fields can give it away. */
function forged(fields: Record<string, unknown>): Uint8Array {
  const { files: list, ...head } = { ...manifest, ...fields };
  const body = { ...head, files: list };
  const checksum = sha256(JSON.stringify(body));
  return Buffer.from(`${JSON.stringify({ ...body, checksum }, null, 1)}\n`);
}

describe('a manifest', () => {
  it('survives its journey through bytes', () => {
    expect(parseManifest(serializeManifest(manifest))).toEqual(manifest);
  });

  it('carries this version, the digest of its files, and the files in order', () => {
    expect(manifest.libraryVersion).toBe(LIBRARY_VERSION);
    expect(manifest.files.map(({ path }) => path)).toEqual(['Default/a', 'Default/b']);
    expect(manifest.contentDigest).toBe(contentDigest(files));
  });

  it('remembers earlier imports, up to its bound', () => {
    const imported = Array.from({ length: 50 }, (_, n) => `20261101-${n}-i${'0'.repeat(48)}`);
    const built = buildManifest('save', { ...context, imported, generation: 7 }, files);
    expect(parseManifest(serializeManifest(built))).toEqual({ ...built, imported, generation: 7 });
  });

  it('leaves out what is not known', () => {
    const { account: _a, browserVersion: _b, ...bare } = context;
    const built = buildManifest('backup', bare, files);
    expect(built).not.toHaveProperty('account');
    expect(parseManifest(serializeManifest(built))).toEqual(built);
  });

  it('notices every flipped bit and every cut', () => {
    const bytes = serializeManifest(manifest);
    for (let offset = 0; offset < bytes.length; offset += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[offset] = (flipped[offset] ?? 0) ^ (1 << bit);
        expect(() => parseManifest(flipped), `byte ${offset} bit ${bit}`).toThrow();
      }
      expect(() => parseManifest(bytes.subarray(0, offset)), `cut at ${offset}`).toThrow(/manifest/);
    }
  });

  it.each([
    ['format', { format: 0 }],
    ['format 2: a newer version', { format: 2 }],
    ['id', { id: '../../etc/passwd' }],
    ['id', { id: '20200101T000000000Z-1a2b3c4d' }],
    ['kind', { kind: 'other' }],
    ['clientId', { clientId: '../x' }],
    ['clientId', { clientId: 7 }],
    ['lineage', { lineage: '../x' }],
    ['run', { run: -1 }],
    ['run', { run: 1.5 }],
    ['account', { account: 'someone@c.us' }],
    ['account', { account: `scrypt$${'a'.repeat(64)}` }],
    ['generation', { generation: -1 }],
    ['generation', { generation: 1.5 }],
    ['generation', { generation: '3' }],
    ['imported', { imported: 'lineage-1' }],
    ['imported', { imported: [] }],
    ['imported', { imported: Array.from({ length: 51 }, (_, n) => `lineage-${n}`) }],
    ['imported.lineage', { imported: ['../lineage-1'] }],
    ['imported.lineage', { imported: [7] }],
    ['profile', { profile: '/bot/auth' }],
    ['profile', { profile: {} }],
    ['profile', { profile: { path: '/bot', host: 'here' } }],
    ['profile.path', { profile: { path: '' } }],
    ['profile.path', { profile: { path: '/bot\n' } }],
    ['profile.relativePath', { profile: { path: '/bot', relativePath: 1 } }],
    ['createdAt', { createdAt: 'yesterday' }],
    ['createdAt', { createdAt: '+012026-11-23T05:14:09.123Z' }],
    ['capture', { capture: 'warm' }],
    ['settled', { settled: 'yes' }],
    ['state', { state: 'READY!' }],
    ['browserVersion', { browserVersion: '\u001b[31m' }],
    ['libraryVersion', { libraryVersion: '' }],
    ['contentDigest', { contentDigest: 'c'.repeat(64) }],
    ['files', { files: {} }],
    ['files', { files: [] }],
    ['files[0]', { files: [7] }],
    ['files[0]', { files: [{ path: 'a', size: 1 }] }],
    ['files[0].path', { files: [{ path: 1, size: 1, sha256: 'a'.repeat(64) }] }],
    ['files[0].size', { files: [{ path: 'a', size: -1, sha256: 'a'.repeat(64) }] }],
    ['files[0].size', { files: [{ path: 'a', size: 2 ** 60, sha256: 'a'.repeat(64) }] }],
    ['files[0].sha256', { files: [{ path: 'a', size: 1, sha256: 'A'.repeat(64) }] }],
    ['surprise', { surprise: 1 }],
  ])('refuses a wrong %s and names it', (named, fields) => {
    expect(() => parseManifest(forged(fields))).toThrow(named.split(':').at(-1)?.trim() ?? '');
    expect(() => parseManifest(forged(fields))).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }) as Error,
    );
  });

  it('refuses a missing field, a list, bytes that are no text', () => {
    const { settled: _settled, ...rest } = manifest;
    const withoutSettled = Buffer.from(JSON.stringify(rest));
    expect(() => parseManifest(withoutSettled)).toThrow(/settled is wrong: it is missing/);
    expect(() => parseManifest(Buffer.from('[]'))).toThrow(/not a JSON object/);
    expect(() => parseManifest(Buffer.from([0xff, 0xfe]))).toThrow(/not JSON/);
  });

  it('refuses one whose fields were changed, although each is fine by itself', () => {
    const text = Buffer.from(serializeManifest(manifest)).toString();
    expect(() => parseManifest(Buffer.from(text.replace('"run": 3', '"run": 4')))).toThrow(/own checksum/);
  });

  it('refuses one that is valid but not canonical: somebody edited it', () => {
    const value = JSON.parse(Buffer.from(serializeManifest(manifest)).toString()) as object;
    expect(() => parseManifest(Buffer.from(JSON.stringify(value)))).toThrow(/canonical/);
  });

  it('refuses unsafe paths and sizes beyond the limits', () => {
    const withFiles = (list: SnapshotFile[]) => forged({ files: list, contentDigest: contentDigest(list) });
    const sum = 'a'.repeat(64);
    const unsafe = expect.objectContaining({ code: 'SNAPSHOT_UNSAFE' }) as Error;
    expect(() => parseManifest(withFiles([{ path: '../x', size: 1, sha256: sum }]))).toThrow(unsafe);
    expect(() => parseManifest(withFiles([{ path: 'x', size: 2 ** 40, sha256: sum }]))).toThrow(unsafe);
    const many = [1, 2, 3].map((n) => ({ path: `f${n}`, size: 3 * 2 ** 30, sha256: sum }));
    expect(() => parseManifest(withFiles(many))).toThrow(/more than \d+ bytes in all/);
    const limits = { ...DEFAULT_LIMITS, maxFiles: 1 };
    expect(() => parseManifest(serializeManifest(manifest), limits)).toThrow(/more than 1 entries/);
    expect(() =>
      parseManifest(serializeManifest(manifest), { ...DEFAULT_LIMITS, maxManifestBytes: 10 }),
    ).toThrow(/more than any honest one/);
  });

  it('is not built for an empty profile', () => {
    expect(() => buildManifest('save', context, [])).toThrow(/files is wrong: it is empty/);
  });
});

describe('the content digest', () => {
  it('does not depend on the order, and on everything else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.boolean(), (size, swap) => {
        const list = [{ path: 'a', size, sha256: '1'.repeat(64) }, ...files];
        const other = swap ? [...list].reverse() : list;
        expect(contentDigest(other)).toBe(contentDigest(list));
        expect(contentDigest([{ path: 'a', size: size + 1, sha256: '1'.repeat(64) }, ...files])).not.toBe(
          contentDigest(list),
        );
      }),
    );
  });
});

describe('a snapshot id', () => {
  it('begins with the capture time and sorts by it', () => {
    const id = snapshotId('2026-11-23T05:14:09.123Z', 'digest', 'seed');
    expect(id).toMatch(/^20261123T051409123Z-[0-9a-f]{8}$/);
    expect(isSnapshotId(id)).toBe(true);
    expect(snapshotId('2026-11-23T05:14:09.124Z', 'digest') > id).toBe(true);
    expect(compactTime('2026-11-23T05:14:09.123Z')).toBe('20261123T051409123Z');
  });

  it('differs between two captures of the same content in the same millisecond', () => {
    const drawn = Array.from({ length: 50 }, () => snapshotId('2026-11-23T05:14:09.123Z', 'digest'));
    expect(new Set(drawn).size).toBe(50);
  });
});

describe('the id in a name', () => {
  it('is found wherever it stands, and tells the capture time', () => {
    const id = findSnapshotId('shop_20261123T051409123Z-1a2b3c4d_run3 (copy).zip');
    expect(id).toBe('20261123T051409123Z-1a2b3c4d');
    expect(timeOfId(id ?? '')).toBe('2026-11-23T05:14:09.123Z');
  });

  it('is none where there is none, or no such time', () => {
    expect(findSnapshotId('photos.zip')).toBeUndefined();
    expect(timeOfId('photos')).toBeUndefined();
    expect(timeOfId('20261399T051409123Z-1a2b3c4d')).toBeUndefined();
  });
});

describe('the library version in manifests', () => {
  it('is the one in package.json', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as {
      version: string;
    };
    expect(LIBRARY_VERSION).toBe(version);
  });
});
