import type { DisconnectCause } from '../../events.js';
import type { ResolvedOptions } from '../../options.js';
import { backoffDelayMs, conflictDelayMs } from './reconnect-delay.js';

/** What ended a session or a start, as far as the next attempt depends on it. */
export interface Setback {
  readonly cause: DisconnectCause;
  /** Whether the login can only come from a store, and one that may hold it does not answer. */
  readonly awaitsStore?: boolean;
}

/** WhatsApp that can't be reached is tried again at least so often. */
const NETWORK_RETRY_MS = 15_000;
/** A store that does not answer is tried again at least so often: each time all of them are asked. */
const STORE_RETRY_MS = 60_000;

/** Whether it is waited out, however long it takes, and counted as no attempt. */
export function isOutage({ cause, awaitsStore = false }: Setback): boolean {
  return cause === 'network-down' || awaitsStore;
}

/** How long to wait before the next attempt, ms. */
export function retryDelayMs(
  setback: Setback,
  attempt: number,
  context: {
    readonly options: Pick<ResolvedOptions, 'reconnectDelayMs' | 'reconnectMaxDelayMs'>;
    readonly random: () => number;
  },
): number {
  const { reconnectDelayMs: baseMs, reconnectMaxDelayMs } = context.options;
  const maxMs = Math.min(reconnectMaxDelayMs, longestMs(setback));
  const delayMs = setback.cause === 'conflict' ? conflictDelayMs : backoffDelayMs;
  return delayMs({ attempt, baseMs, maxMs, random: context.random });
}

function longestMs({ cause, awaitsStore = false }: Setback): number {
  if (cause === 'network-down') return NETWORK_RETRY_MS;
  return awaitsStore ? STORE_RETRY_MS : Number.POSITIVE_INFINITY;
}
