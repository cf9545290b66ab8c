import { isAbsolute, posix } from 'node:path';

/** Environment variables, shaped like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the bot runs; `plain` is a machine that belongs to none of the known platforms. */
export type PlatformName =
  | 'railway'
  | 'render'
  | 'fly'
  | 'heroku'
  | 'koyeb'
  | 'kubernetes'
  | 'docker'
  | 'plain';

/** The facts about the platform that the environment reveals (docs/chromium-facts.md F4.1). */
export interface Platform {
  readonly name: PlatformName;
  /** Where a volume is mounted, if the platform reports it (only Railway does). Absolute. */
  readonly volumePath?: string;
  /** Time between SIGTERM and SIGKILL, ms; absent when it is not known. */
  readonly graceMs?: number;
  /** Whether everything outside a mounted volume is gone after the next deploy. */
  readonly ephemeralRoot: boolean;
  /** Whether an old and a new instance of the bot may run at once by themselves, during a deploy or as replicas. */
  readonly overlaps: boolean;
}

/**
 * A platform is recognised when one of its variables is set. The first match wins, because all platforms may run
 * on Kubernetes.
 */
const MARKS: readonly (readonly [PlatformName, readonly string[]])[] = [
  ['railway', ['RAILWAY_PROJECT_ID', 'RAILWAY_PROJECT_NAME', 'RAILWAY_SERVICE_ID', 'RAILWAY_REPLICA_ID']],
  ['render', ['RENDER', 'RENDER_SERVICE_NAME', 'RENDER_INSTANCE_ID']],
  ['fly', ['FLY_APP_NAME', 'FLY_MACHINE_ID']],
  ['heroku', ['DYNO']],
  ['koyeb', ['KOYEB_APP_NAME', 'KOYEB_SERVICE_ID']],
  ['kubernetes', ['KUBERNETES_SERVICE_HOST']],
];

/** Defaults of the platforms. Except on Heroku, users can raise them. Koyeb documents none. */
const GRACE_MS: Readonly<Partial<Record<PlatformName, number>>> = {
  railway: 0,
  render: 30_000,
  fly: 5000,
  heroku: 30_000,
  kubernetes: 30_000,
  docker: 10_000,
};

/** The part of the grace period that the process keeps for its own end. */
const SHUTDOWN_MARGIN_MS = 1000;
const USUAL_SHUTDOWN_MS = 15_000;
/** Longer than any platform's draining time, and short enough for a timer. */
const MAX_DRAINING_SECONDS = 86_400;

/**
 * Recognises the platform by the environment variables.
 *
 * @param facts facts that the variables do not show: whether the mark file of Docker or Podman exists.
 * @example detectPlatform({ RAILWAY_PROJECT_ID: 'p' }).name; // 'railway'
 */
export function detectPlatform(env: Environment, facts: { readonly dockerenv?: boolean } = {}): Platform {
  const marked = MARKS.find(([, names]) => names.some((name) => isSet(env[name])))?.[0];
  const name = marked ?? (facts.dockerenv === true ? 'docker' : 'plain');
  const volumePath = name === 'railway' ? absolute(env.RAILWAY_VOLUME_MOUNT_PATH) : undefined;
  const graceMs = name === 'railway' ? railwayGraceMs(env) : GRACE_MS[name];
  return {
    name,
    ephemeralRoot: name !== 'plain',
    // A Railway service with a volume has no replicas, and it is down for a short time during a deploy, without an
    // overlap.
    overlaps: name !== 'plain' && name !== 'docker' && volumePath === undefined,
    ...(volumePath === undefined ? {} : { volumePath }),
    ...(graceMs === undefined ? {} : { graceMs }),
  };
}

/**
 * The folders of saves and backups when the options name none: on Railway's volume, else in Railway's documented
 * folders, else below the working directory. The caller resolves relative paths.
 *
 * @example defaultPaths({}); // { sessionPath: './persistent-session', backupPath: './session-backup' }
 */
export function defaultPaths(env: Environment): {
  readonly sessionPath: string;
  readonly backupPath: string;
} {
  const { name, volumePath } = detectPlatform(env);
  if (volumePath !== undefined) {
    return {
      sessionPath: posix.join(volumePath, 'persistent-session'),
      // The backups also lie on the volume: a redeploy deletes /tmp, and with it the only older copies.
      backupPath: posix.join(volumePath, 'session-backup'),
    };
  }
  if (name === 'railway')
    return { sessionPath: '/app/persistent-session', backupPath: '/tmp/session-backup' };
  return { sessionPath: './persistent-session', backupPath: './session-backup' };
}

/**
 * How long a process may wait for its last save after a signal, ms: one second less than the platform's grace
 * period. When that period is unknown or too short for any save, it is a usual time, because being killed while
 * saving loses no more than not trying.
 */
export function shutdownBudgetMs(env: Environment): number {
  const { graceMs = 0 } = detectPlatform(env);
  return graceMs > 2 * SHUTDOWN_MARGIN_MS ? graceMs - SHUTDOWN_MARGIN_MS : USUAL_SHUTDOWN_MS;
}

/** Whether file names that differ only in case usually mean the same file on this platform. */
export function foldsCase(platform: NodeJS.Platform): boolean {
  return platform === 'darwin' || platform === 'win32';
}

function railwayGraceMs(env: Environment): number {
  const seconds = Number(env.RAILWAY_DEPLOYMENT_DRAINING_SECONDS?.trim() || '0');
  return Number.isFinite(seconds) && seconds > 0
    ? Math.min(seconds, MAX_DRAINING_SECONDS) * 1000
    : (GRACE_MS.railway ?? 0);
}

function absolute(path: string | undefined): string | undefined {
  const trimmed = path?.trim() ?? '';
  return isAbsolute(trimmed) ? trimmed : undefined;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}
