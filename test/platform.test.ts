import { memfs } from 'memfs';
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../src/file-system.js';
import {
  defaultPaths,
  describeStorage,
  detectPlatform,
  diskSpace,
  type Environment,
  foldsCase,
  isEphemeral,
  memoryLimitBytes,
  parseMountinfo,
  readMountinfo,
  readStorageFacts,
  type StorageFacts,
  shutdownBudgetMs,
  storageWarnings,
} from '../src/platform.js';

describe('detectPlatform', () => {
  it.each<[string, Environment, object]>([
    ['Railway by its project id', { RAILWAY_PROJECT_ID: 'p' }, { name: 'railway', graceMs: 0 }],
    ['Railway by its project name', { RAILWAY_PROJECT_NAME: 'shop' }, { name: 'railway' }],
    ['Railway by its service', { RAILWAY_SERVICE_ID: 's' }, { name: 'railway' }],
    [
      'how long Railway drains, where it was told to',
      { RAILWAY_REPLICA_ID: 'r', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '20' },
      { name: 'railway', graceMs: 20_000 },
    ],
    [
      'that a draining time which is no number is none',
      { RAILWAY_PROJECT_ID: 'p', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: 'soon' },
      { graceMs: 0 },
    ],
    ['Render', { RENDER: 'true' }, { name: 'render', graceMs: 30_000 }],
    ['Fly.io', { FLY_APP_NAME: 'shop' }, { name: 'fly', graceMs: 5000 }],
    ['Heroku', { DYNO: 'web.1' }, { name: 'heroku', graceMs: 30_000 }],
    ['Koyeb', { KOYEB_SERVICE_ID: 's' }, { name: 'koyeb' }],
    ['Kubernetes', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { name: 'kubernetes', graceMs: 30_000 }],
    [
      'Railway before the Kubernetes it may run on',
      { KUBERNETES_SERVICE_HOST: 'k', RAILWAY_PROJECT_ID: 'p' },
      { name: 'railway' },
    ],
  ])('recognises %s', (_, env, expected) => {
    expect(detectPlatform(env)).toMatchObject({ ephemeralRoot: true, ...expected });
  });

  it('does not invent a grace where the platform documents none', () => {
    expect(detectPlatform({ KOYEB_APP_NAME: 'shop' })).not.toHaveProperty('graceMs');
  });

  it('takes everything else for a machine of one’s own, or for Docker where its mark is found', () => {
    expect(detectPlatform({ RAILWAY_PROJECT_ID: ' ' })).toEqual({
      name: 'plain',
      ephemeralRoot: false,
      overlaps: false,
    });
    expect(detectPlatform({}, { dockerenv: true })).toMatchObject({ name: 'docker', ephemeralRoot: true });
  });
});

describe('defaultPaths', () => {
  const railway = { RAILWAY_PROJECT_ID: 'p' };

  it.each<[string, Environment, string, string]>([
    ['anywhere', {}, './persistent-session', './session-backup'],
    ['on Railway', railway, '/app/persistent-session', '/tmp/session-backup'],
    [
      'on Railway with a volume',
      { ...railway, RAILWAY_VOLUME_MOUNT_PATH: '/data/' },
      '/data/persistent-session',
      '/data/session-backup',
    ],
    [
      'on Railway with a volume path that is none',
      { ...railway, RAILWAY_VOLUME_MOUNT_PATH: 'data' },
      '/app/persistent-session',
      '/tmp/session-backup',
    ],
    [
      'elsewhere, whatever Railway’s variable says',
      { RAILWAY_VOLUME_MOUNT_PATH: '/data' },
      './persistent-session',
      './session-backup',
    ],
  ])('are the documented ones %s', (_, env, sessionPath, backupPath) => {
    expect(defaultPaths(env)).toEqual({ sessionPath, backupPath });
  });
});

describe('shutdownBudgetMs', () => {
  it.each<[string, Environment, number]>([
    ['leaves the process a second of the grace', { RENDER: 'true' }, 29_000],
    ['is short on Fly.io', { FLY_APP_NAME: 'shop' }, 4000],
    ['is a usual time where there is no grace', { RAILWAY_PROJECT_ID: 'p' }, 15_000],
    ['is a usual time where the grace is not known', {}, 15_000],
    [
      'stays within what a timer takes',
      { RAILWAY_PROJECT_ID: 'p', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '1e300' },
      86_399_000,
    ],
  ])('%s', (_, env, expected) => {
    expect(shutdownBudgetMs(env)).toBe(expected);
  });
});

describe('foldsCase', () => {
  it('is true of macOS and Windows', () => {
    expect((['linux', 'darwin', 'win32'] as const).map(foldsCase)).toEqual([false, true, true]);
  });
});

const CONTAINER = [
  '1 0 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/a',
  '2 1 0:51 / /proc rw - proc proc rw',
  '3 1 0:52 / /dev/shm rw - tmpfs shm rw',
  '4 1 8:16 / /data rw - ext4 /dev/sdb rw',
  '5 1 8:16 /nested /data/my\\040bot rw shared:3 propagate_from:2 - ext4 /dev/sdb rw',
  '6 1 8:1 /var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/scratch /scratch rw - ext4 /dev/sda1 rw',
  '7 1 0:60 / /over rw - tmpfs tmpfs rw',
  '8 1 8:32 / /over rw - xfs /dev/sdc rw',
  '9 1 8:1 /home/me/bot /bind rw - ext4 /dev/sda1 rw',
  '10 1 0:70 / /claim rw - nfs4 10.0.0.9:/pvc-1 rw',
  '11 1 8:1 /pods/u/volumes/kubernetes.io~empty-dir/x /own-disk rw - ext4 /dev/sda1 rw',
].join('\n');
const MACHINE = '1 0 254:0 / / rw,relatime - ext4 /dev/vda rw\n2 1 254:16 / /backup rw - ext4 /dev/vdb rw';

describe('describeStorage', () => {
  it.each([
    ['/app/persistent-session', 'container', '/'],
    ['/data', 'volume', '/data'],
    ['/data/persistent-session', 'volume', '/data'],
    ['/database', 'container', '/'],
    ['/data/my bot/x', 'volume', '/data/my bot'],
    ['/dev/shm/x', 'memory', '/dev/shm'],
    ['/scratch/x', 'pod', '/scratch'],
    ['/over/x', 'volume', '/over'],
    ['/bind/x', 'volume', '/bind'],
    ['/claim/x', 'volume', '/claim'],
    ['/own-disk/x', 'pod', '/own-disk'],
  ])('%s lies on: %s', (path, kind, mountPoint) => {
    expect(describeStorage(path, CONTAINER)).toMatchObject({ kind, mount: { mountPoint } });
  });

  it('takes the root of a machine for what it is, and says when nothing is known', () => {
    expect(describeStorage('/srv/bot', MACHINE).kind).toBe('root');
    expect(describeStorage('/srv/bot', undefined)).toEqual({ kind: 'unknown' });
  });

  it('knows the writable layer of rootless Podman', () => {
    const podman = '1 0 0:50 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw';
    expect(describeStorage('/app/s', podman).kind).toBe('container');
  });

  it('leaves out lines that make no sense', () => {
    expect(parseMountinfo(`\nnonsense\n1 2 3\n1 0 8:1 / /x rw -\n${MACHINE}\n`)).toHaveLength(2);
  });
});

describe('readMountinfo', () => {
  it('reads the mount table, where there is one', async () => {
    const { fs, vol } = memfs();
    expect(await readMountinfo(fs as unknown as FileSystem)).toBeUndefined();
    vol.fromJSON({ '/proc/self/mountinfo': MACHINE });
    expect(await readMountinfo(fs as unknown as FileSystem)).toBe(MACHINE);
  });
});

describe('storageWarnings', () => {
  const railway = detectPlatform({ RAILWAY_PROJECT_ID: 'p' });
  const plain = detectPlatform({});
  const volume = { RAILWAY_PROJECT_ID: 'p', RAILWAY_VOLUME_MOUNT_PATH: '/data' };
  const codes = (facts: Partial<StorageFacts>) =>
    storageWarnings({ platform: railway, sessionPath: '/data/s', backupPath: '/over/b', ...facts }).map(
      ({ code }) => code,
    );

  it('has nothing to say of a volume with the backups on another one', () => {
    expect(codes({ mountinfo: CONTAINER })).toEqual([]);
    expect(
      codes({ platform: plain, mountinfo: MACHINE, sessionPath: '/srv/s', backupPath: '/backup/b' }),
    ).toEqual([]);
  });

  it('says when the saves do not outlive a redeploy, and whether the backups do', () => {
    const facts = { platform: railway, sessionPath: '/app/s', mountinfo: CONTAINER };
    const [warning] = storageWarnings({ ...facts, backupPath: '/data/b' });
    expect(warning?.code).toBe('ephemeral-session');
    expect(warning?.message).toContain('/app/s lies inside the container (railway)');
    expect(warning?.message).toContain('Only the backups in /data/b stay');
    const [both] = storageWarnings({ ...facts, backupPath: '/dev/shm/b' });
    expect(both?.message).toContain('asks for a new QR');
  });

  it.each([
    ['/dev/shm/s', 'tmpfs'],
    ['/scratch/s', 'emptyDir'],
  ])('says why %s does not stay', (sessionPath, reason) => {
    const [warning] = storageWarnings({
      platform: railway,
      sessionPath,
      backupPath: '/data/b',
      mountinfo: CONTAINER,
    });
    expect(warning?.message).toContain(reason);
  });

  it('trusts the root of a machine of one’s own, not that of a platform (a micro VM of Fly.io looks like one)', () => {
    const facts = { sessionPath: '/srv/s', backupPath: '/backup/b', mountinfo: MACHINE };
    expect(codes({ ...facts, platform: detectPlatform({ FLY_APP_NAME: 'a' }) })).toEqual([
      'ephemeral-session',
      'replicas',
    ]);
    expect(codes({ ...facts, platform: plain })).toEqual([]);
  });

  it.each<[string, Environment]>([
    ['Railway without a volume', { RAILWAY_REPLICA_ID: 'r' }],
    ['Render', { RENDER: 'true' }],
    ['Fly.io', { FLY_APP_NAME: 'a' }],
    ['Heroku', { DYNO: 'web.1' }],
    ['Koyeb', { KOYEB_APP_NAME: 'a' }],
    ['Kubernetes', { KUBERNETES_SERVICE_HOST: 'k' }],
  ])('says on %s that nothing keeps two instances apart, unless the saves lie on a volume', (_, env) => {
    const platform = detectPlatform(env);
    const facts = { platform, mountinfo: CONTAINER, backupPath: '/over/b' };
    const own = storageWarnings({ ...facts, sessionPath: '/app/s' });
    expect(own.map(({ code }) => code)).toEqual(['ephemeral-session', 'replicas']);
    expect(own[1]?.message).toMatch(/CONFLICT.*SESSION_PATH/s);
    expect(codes({ ...facts, sessionPath: '/scratch/s' }), 'an emptyDir is of one pod').toContain('replicas');
    expect(codes({ ...facts, sessionPath: '/data/s' })).toEqual([]);
    expect(codes({ platform, sessionPath: '/app/s', backupPath: '/over/b' }), 'nothing is known').toEqual([]);
  });

  it.each<[string, Environment]>([
    ['Railway with a volume, which has one instance and no overlap', volume],
    ['Docker, where nobody starts a second one by itself', {}],
  ])('says nothing of two instances on %s', (_, env) => {
    const platform = detectPlatform(env, { dockerenv: true });
    const facts = { platform, mountinfo: CONTAINER, sessionPath: '/app/s', backupPath: '/data/b' };
    expect(codes(facts)).toEqual(['ephemeral-session']);
  });

  it('says when saves and backups lie on one disk, by the devices where they are known', () => {
    const paths = { platform: plain, sessionPath: '/srv/s', backupPath: '/srv/b' };
    expect(codes({ ...paths, mountinfo: MACHINE })).toEqual(['same-device']);
    expect(codes({ ...paths, mountinfo: MACHINE, devices: { session: 1, backup: 2 } })).toEqual([]);
    expect(codes({ ...paths, devices: { session: 1, backup: 1 } })).toEqual(['same-device']);
    expect(codes(paths), 'nothing is known').toEqual([]);
  });

  it.each([
    'npm start',
    'node /usr/lib/node_modules/npm/bin/npm-cli.js start',
    'sh -c node bot.js',
    '/bin/bash -c node .',
  ])('says that "%s" hides the signal', (parentCommand) => {
    expect(codes({ mountinfo: CONTAINER, env: { npm_lifecycle_event: 'start' }, parentCommand })).toEqual([
      'hidden-signal',
    ]);
  });

  it.each([
    ['node itself was started', {}, '/sbin/init', railway],
    ['another program stands between', { npm_lifecycle_event: 'start' }, 'node /app/pm2', railway],
    ['the parent is not known', { npm_lifecycle_event: 'start' }, undefined, railway],
    ['it is a machine of one’s own', { npm_lifecycle_event: 'start' }, 'npm start', plain],
  ])('says nothing of signals when %s', (_, env, parentCommand, platform) => {
    expect(codes({ mountinfo: CONTAINER, platform, env, parentCommand })).toEqual([]);
  });
});

describe('isEphemeral', () => {
  it('says whether a path is gone after a redeploy, and nothing where there is no mount table', () => {
    const facts = { platform: detectPlatform({ RAILWAY_PROJECT_ID: 'p' }), mountinfo: CONTAINER };
    expect(isEphemeral('/app/s', facts)).toBe(true);
    expect(isEphemeral('/data/s', facts)).toBe(false);
    expect(isEphemeral('/app/s', { ...facts, mountinfo: undefined })).toBeUndefined();
  });
});

describe('memoryLimitBytes', () => {
  const MACHINE_BYTES = 16e9;
  const limitWith = (files: Record<string, string>) => {
    const { fs, vol } = memfs();
    vol.fromJSON(files);
    return memoryLimitBytes(fs as unknown as FileSystem, MACHINE_BYTES);
  };

  it.each<[string, Record<string, string>, number]>([
    ['the machine, where there are no control groups', {}, MACHINE_BYTES],
    [
      'the machine, where none is limited',
      {
        '/proc/self/cgroup': '4:memory:/\n0::/\n',
        '/sys/fs/cgroup/memory.max': 'max\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
      MACHINE_BYTES,
    ],
    [
      'a container, version 2',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '536870912\n' },
      536_870_912,
    ],
    [
      'a group around ours',
      {
        '/proc/self/cgroup': '0::/system.slice/bot.service\n',
        '/sys/fs/cgroup/system.slice/memory.max': '1000000000\n',
        '/sys/fs/cgroup/system.slice/bot.service/memory.max': 'max\n',
      },
      1e9,
    ],
    [
      'a container, version 1, named as the host sees it',
      {
        '/proc/self/cgroup': '9:cpu,cpuacct:/docker/abc\n4:hugetlb,memory:/docker/abc\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
      },
      268_435_456,
    ],
  ])('is that of %s', async (_, files, expected) => {
    expect(await limitWith(files)).toBe(expected);
  });
});

describe('diskSpace', () => {
  const { fs, vol } = memfs();
  vol.fromJSON({ '/data/keep': '' });
  const asked: string[] = [];
  const statfs = async (path: string) => {
    asked.push(path);
    return { bavail: 10, bsize: 4096 };
  };
  const withStatfs = { promises: { ...bound(fs.promises), statfs } } as unknown as FileSystem;

  it('is that of what exists above a path', async () => {
    expect(await diskSpace(withStatfs, '/data/bot/backup')).toMatchObject({ freeBytes: 40_960 });
    expect(asked).toEqual(['/data']);
  });

  it('is not known where the file system has no statfs', async () => {
    const without = { promises: { ...bound(fs.promises), statfs: undefined } } as unknown as FileSystem;
    expect(await diskSpace(without, '/data')).toBeUndefined();
  });

  function bound(promises: typeof fs.promises): object {
    return { access: promises.access.bind(promises), stat: promises.stat.bind(promises) };
  }
});

describe('readStorageFacts', () => {
  it('resolves links as far as there is something, and gathers what the warnings want to know', async () => {
    const { fs, vol } = memfs();
    vol.fromJSON({ '/data/keep': '', '/proc/self/mountinfo': CONTAINER, '/.dockerenv': '' });
    vol.symlinkSync('/data', '/link');
    const facts = await readStorageFacts({
      fs: fs as unknown as FileSystem,
      sessionPath: '/link/bot/persistent-session',
      backupPath: '/tmp/session-backup',
      env: {},
      commandLineOf: async (pid) => `parent ${pid}`,
    });
    expect(facts).toMatchObject({
      platform: { name: 'docker' },
      sessionPath: '/data/bot/persistent-session',
      backupPath: '/tmp/session-backup',
      mountinfo: CONTAINER,
      parentCommand: `parent ${process.ppid}`,
    });
    expect(Object.keys(facts.devices ?? {})).toEqual(['session', 'backup']);
    expect(storageWarnings({ ...facts, devices: undefined })).toEqual([]); // the saves lie on the volume
  });

  it('recognises Podman by its own mark', async () => {
    const { fs, vol } = memfs();
    vol.fromJSON({ '/run/.containerenv': '' });
    const question = { fs: fs as unknown as FileSystem, sessionPath: '/s', backupPath: '/b', env: {} };
    expect((await readStorageFacts(question)).platform.name).toBe('docker');
  });

  it('leaves out what can’t be read', async () => {
    const fail = async () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    const broken = { promises: { access: fail, realpath: fail, stat: fail, readFile: fail } };
    const facts = await readStorageFacts({
      fs: broken as unknown as FileSystem,
      sessionPath: '/s',
      backupPath: '/b',
      commandLineOf: fail,
    });
    expect(facts).toMatchObject({
      sessionPath: '/s',
      backupPath: '/b',
      devices: undefined,
      parentCommand: undefined,
    });
    expect(storageWarnings(facts)).toEqual([]);
  });
});
