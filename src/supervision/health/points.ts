import type { HealthCheckId } from '../../health.js';

/** What each check is worth, 100 together; documented in `docs/health.md`. */
export const POINTS: Readonly<Record<HealthCheckId, number>> = {
  connection: 30,
  profile: 15,
  'last-save': 10,
  'last-backup': 10,
  storage: 8,
  'disk-space': 7,
  memory: 6,
  'session-size': 4,
  reconnect: 4,
  'event-loop': 3,
  lease: 3,
};

/** From so many points on a report is `healthy`, or `warning`; below it is `critical`. */
export const HEALTHY_FROM = 80;
export const WARNING_FROM = 50;
