/**
 * Installs the servers that `npm run test:stores` starts, where they are missing and this is a Debian system with root.
 * Elsewhere their tests are skipped with a loud line, but never in CI.
 */
import { spawnSync } from 'node:child_process';
import { findProgram } from '../test/stores/servers/installed.js';

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  postgresql: ['postgres', 'initdb'],
  pgbouncer: ['pgbouncer'],
  'redis-server': ['redis-server'],
  radosgw: ['radosgw', 'radosgw-admin'],
  'ceph-mon': ['ceph-mon'],
  'ceph-osd': ['ceph-osd'],
  'ceph-common': ['ceph-authtool', 'monmaptool', 'ceph'],
};

const missing = Object.keys(PACKAGES).filter((name) =>
  PACKAGES[name]?.some((program) => findProgram(program) === undefined),
);
if (missing.length > 0) {
  console.log(`missing: ${missing.join(', ')}`);
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      // The package of Postgres would start a cluster of its own.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    }).status === 0;
  const isRoot = process.getuid?.() === 0;
  const isInstalled =
    isRoot && apt('update', '-qq') && apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
  if (!isInstalled) console.warn('!!! they could not be installed: the tests that need them are skipped');
  if (!isInstalled && process.env.CI === 'true') process.exitCode = 1;
}
