import type { CopySkipped } from '../../../../events.js';
import { fill, plain } from './fill.js';
import type { StreamEvent } from './state.js';
import {
  errorText,
  type Language,
  toneOfHealth,
  toneOfState,
  type Words,
  withDetail,
  wordFor,
} from './words.js';

/** The text of an event in the given language. */
export function eventWords({ texts, format }: Language, event: StreamEvent): Words {
  const { events } = texts.log;
  switch (event.name) {
    case 'state:changed': {
      const { to, cause } = event.data;
      const tone = toneOfState(to);
      const word = wordFor(texts.state.words, to);
      if (cause === undefined) return { tone, text: fill(events['state:changed'], { to: word }) };
      const why = wordFor(texts.causes, cause);
      return { tone, text: fill(events['state:changed:cause'], { to: word, cause: why }) };
    }
    case 'save:completed':
    case 'backup:completed':
      return {
        tone: 'good',
        text: fill(events[event.name], { size: format.bytes(event.data.snapshot.sizeBytes) }),
      };
    case 'save:skipped':
    case 'backup:skipped':
      return withDetail(
        {
          tone: 'neutral',
          text: fill(events[event.name], { reason: wordFor(texts.skipReasons, event.data.reason) }),
        },
        skipDetail(event.data),
      );
    case 'save:failed':
    case 'backup:failed':
    case 'restore:failed': {
      const { error } = event.data;
      return withDetail(
        { tone: 'critical', text: `${events[event.name]}: ${errorText(texts, error)}` },
        error.message,
      );
    }
    case 'restore:started':
    case 'restore:completed':
      return {
        tone: event.name === 'restore:started' ? 'info' : 'good',
        text: fill(events[event.name], {
          time: format.time(event.data.snapshot.createdAt),
          reason: wordFor(texts.restoreReasons, event.data.reason),
        }),
      };
    case 'corruption:detected': {
      const { where, findings } = event.data;
      const details = findings.slice(0, 3).map(({ file, problem }) => `${file}: ${problem}`);
      return withDetail(
        { tone: 'critical', text: events[`corruption:detected:${where}`] },
        details.join('; '),
      );
    }
    case 'reconnect:scheduled':
      return withDetail(
        {
          tone: 'warning',
          text: fill(events[event.name], {
            attempt: event.data.attempt,
            delay: format.duration(event.data.delayMs),
            cause: wordFor(texts.causes, event.data.cause),
          }),
        },
        event.data.error?.message,
      );
    case 'reconnect:attempted':
      return { tone: 'info', text: fill(events[event.name], { attempt: event.data.attempt }) };
    case 'reconnect:succeeded':
      return {
        tone: 'good',
        text: fill(events[event.name], { duration: format.duration(event.data.durationMs) }),
      };
    case 'reconnect:exhausted':
      return withDetail(
        {
          tone: 'critical',
          text: fill(events[event.name], { cause: wordFor(texts.causes, event.data.cause) }),
        },
        event.data.error?.message,
      );
    case 'health:changed':
      return {
        tone: toneOfHealth(event.data.to),
        text: fill(events[event.name], {
          to: wordFor(texts.health.status, event.data.to),
          score: format.number(Math.round(event.data.report.score)),
        }),
      };
    case 'session:revoked':
      return { tone: 'critical', text: events[`session:revoked:${event.data.cause}`] };
    case 'session:quarantined':
      return withDetail({ tone: 'warning', text: events[event.name] }, event.data.path);
    case 'session:imported':
      return withDetail({ tone: 'good', text: events[event.name] }, event.data.from);
    case 'session:cleared':
      return { tone: 'warning', text: events[event.name] };
    case 'profile:pruned':
      return {
        tone: 'neutral',
        text: fill(events[event.name], { size: format.bytes(event.data.freedBytes) }),
      };
    case 'snapshots:pruned': {
      const size = format.bytes(event.data.freedBytes);
      return {
        tone: 'neutral',
        text: format.plural(events[event.name], event.data.removed.length, { size }),
      };
    }
    case 'lease:acquired':
      return withDetail({ tone: 'neutral', text: events[event.name] }, event.data.owner);
    case 'lease:lost':
      return withDetail({ tone: 'critical', text: events[event.name] }, event.data.reason);
    case 'warning':
      return withDetail({ tone: 'warning', text: events.warning }, event.data.message);
    case 'pairing:received':
      return { tone: 'info', text: events[`pairing:received:${event.data.kind}`] };
    case 'job:completed':
    case 'job:failed': {
      const { action, error } = event.data.job;
      const text = fill(events[event.name], { action: wordFor(texts.actions.names, action) });
      return withDetail({ tone: event.name === 'job:failed' ? 'critical' : 'good', text }, error?.message);
    }
    default:
      return { tone: 'neutral', text: fill(events.other, { name: plain(event.name) }) };
  }
}

/** Why a copy was skipped, in the words of the system, and in which stores. */
function skipDetail({ error, stores }: CopySkipped): string | undefined {
  if (error === undefined) return undefined;
  return stores === undefined ? error.message : `${stores.join(', ')}: ${error.message}`;
}
