import type { HealthCheckId } from '../../health.js';

/** The points of each check, 100 in total; documented in `docs/health.md`. */
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

/** Minimum scores for `healthy` and for `warning`; a lower score is `critical`. */
export const HEALTHY_FROM = 80;
export const WARNING_FROM = 50;
