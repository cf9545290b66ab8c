import type { SessionState } from '../../../../state.js';
import type { ActionResults, ErrorBody } from '../../../contract.js';
import type { Texts } from '../texts/texts.js';
import { fill, plain } from './fill.js';
import type { Format } from './format.js';
import type { Notice } from './state.js';

/** The severity of something; shown by colour, by shape and in words. */
export type Tone = 'good' | 'info' | 'warning' | 'critical' | 'neutral';

/** A language: its texts and its formats for numbers and times. */
export interface Language {
  readonly texts: Texts;
  readonly format: Format;
}

export interface Words {
  readonly tone: Tone;
  readonly text: string;
  /** A text from elsewhere, for example an error message. It may be in any language and is shown unchanged. */
  readonly detail?: string;
}

/** How an action ended. */
export function noticeWords({ texts, format }: Language, { action, outcome }: Notice): Words {
  const name = texts.actions.names[action];
  switch (outcome.kind) {
    case 'download':
      return { tone: 'info', text: texts.results.download };
    case 'lost':
      return { tone: 'warning', text: fill(texts.results.lost, { action: name }) };
    case 'failed': {
      const reason = errorText(texts, outcome.error);
      return withDetail({ tone: 'critical', text: `${name}: ${reason}` }, outcome.error.message);
    }
    case 'done':
      return outcome.result === undefined
        ? { tone: 'good', text: fill(texts.log.events['job:completed'], { action: name }) }
        : resultWords({ texts, format }, { action, result: outcome.result } as Done);
  }
}

/** The text for an error code in this language; the error's own message is shown as a detail. */
export function errorText(texts: Texts, { code }: ErrorBody): string {
  return Object.hasOwn(texts.errors, code)
    ? texts.errors[code as keyof Texts['errors']]
    : fill(texts.errors.other, { code });
}

/** The text for a value of a fixed set; an unknown value, which a newer bot may send, stays as it is. */
export function wordFor(words: Readonly<Record<string, string>>, value: string): string {
  return Object.hasOwn(words, value) ? (words[value] ?? value) : plain(value);
}

export function withDetail(words: Words, detail: string | undefined): Words {
  return detail === undefined || detail === '' ? words : { ...words, detail: plain(detail) };
}

/** An action together with its result. */
type Done = {
  [Name in keyof ActionResults]: { readonly action: Name; readonly result: ActionResults[Name] };
}[keyof ActionResults];

function resultWords({ texts, format }: Language, { action, result }: Done): Words {
  const { results } = texts;
  const inState = (text: string, state: SessionState): Words => ({
    tone: 'good',
    text: fill(text, { state: wordFor(texts.state.words, state) }),
  });
  switch (action) {
    case 'initialize':
    case 'reconnect':
      return inState(results[action], result.state);
    case 'clear':
    case 'destroy':
      return { tone: 'good', text: results[action] };
    case 'health-check':
      return {
        tone: toneOfHealth(result.status),
        text: fill(results['health-check'], {
          score: format.number(Math.round(result.score)),
          status: wordFor(texts.health.status, result.status),
        }),
      };
    case 'send-test-message':
      return { tone: 'good', text: fill(results[action], { chat: result.chatId.replace(/@.*$/, '') }) };
    case 'backup':
    case 'force-save': {
      if ('skipped' in result) {
        const reason = wordFor(texts.skipReasons, result.skipped);
        return { tone: 'info', text: fill(results.skipped, { reason }) };
      }
      const size = format.bytes(result.snapshot.sizeBytes);
      return { tone: 'good', text: fill(action === 'backup' ? results.backedUp : results.saved, { size }) };
    }
    case 'restore':
      return { tone: 'good', text: fill(results.restore, { time: format.time(result.snapshot.createdAt) }) };
    case 'verify': {
      const ids = result.corrupt.map(({ snapshot }) => snapshot.id).join(', ');
      if (ids !== '') {
        return {
          tone: 'critical',
          text: format.plural(results.verifyCorrupt, result.corrupt.length, { ids }),
        };
      }
      return result.sound.length === 0
        ? { tone: 'info', text: results.verifyNone }
        : { tone: 'good', text: format.plural(results.verifySound, result.sound.length) };
    }
    case 'prune':
      return { tone: 'good', text: fill(results.prune, { size: format.bytes(result.freedBytes) }) };
  }
}

export function toneOfHealth(status: string): Tone {
  return status === 'healthy' ? 'good' : status === 'warning' ? 'warning' : 'critical';
}

const STATE_TONES: Readonly<Record<SessionState, Tone>> = {
  idle: 'neutral',
  restoring: 'info',
  starting: 'info',
  awaiting_qr: 'warning',
  authenticated: 'info',
  ready: 'good',
  degraded: 'warning',
  reconnecting: 'warning',
  stopping: 'neutral',
  stopped: 'neutral',
  failed: 'critical',
};

export function toneOfState(state: SessionState): Tone {
  return STATE_TONES[state] ?? 'neutral';
}
