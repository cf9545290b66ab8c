import { isShortage } from '../../busy.js';
import { errnoOf, isSessionError, toError } from '../../errors.js';
import type { DisconnectCause } from '../../events.js';
import type { ResolvedOptions } from '../../options.js';
import { backoffDelayMs, conflictDelayMs } from './reconnect-delay.js';

/** How a session or a start ended, as far as the next attempt depends on it. */
export interface Setback {
  readonly cause: DisconnectCause;
  /** Whether a server must answer first: a store that may hold the login, or the server of a strict web cache. */
  readonly awaitsServer?: boolean;
  /** Whether a required disk does not answer. */
  readonly awaitsDisk?: boolean;
}

/** Longest delay between attempts while WhatsApp is unreachable, ms. */
const NETWORK_RETRY_MS = 15_000;
/** Longest delay while a server or disk does not answer, ms; each attempt asks all stores. */
const SERVER_RETRY_MS = 60_000;

/** Whether to wait it out, however long it takes, without counting an attempt. */
export function isOutage({ cause, awaitsServer = false, awaitsDisk = false }: Setback): boolean {
  return cause === 'network-down' || awaitsServer || awaitsDisk;
}

/** Whether the lease could not be taken for want of room, or because its disk is slow: that passes. */
export function isShort(error: unknown): boolean {
  return isShortage(errnoOf(toError(error).cause)) || (isSessionError(error) && error.code === 'TIMEOUT');
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

function longestMs({ cause, awaitsServer = false, awaitsDisk = false }: Setback): number {
  if (cause === 'network-down') return NETWORK_RETRY_MS;
  return awaitsServer || awaitsDisk ? SERVER_RETRY_MS : Number.POSITIVE_INFINITY;
}
