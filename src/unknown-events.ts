import { SESSION_EVENT_NAMES } from './event-names.js';
import { type Logger, silentLogger } from './logger.js';
import { emitProcessWarning } from './process-warning.js';

/** How many names are remembered; after that there are no more warnings, for programs that create names in a loop. */
const MAX_NAMES = 100;
const MAX_SHOWN = 80;
/** Event names are short, so a longer text is not compared with them. */
const MAX_COMPARED = 40;

/** The events of whatsapp-web.js (util/Constants.js). */
const CLIENT_EVENTS = new Set(
  (
    'auth_failure authenticated call change_battery change_state chat_archived chat_removed code contact_changed ' +
    'disconnected group_admin_changed group_join group_leave group_membership_request group_update loading_screen ' +
    'media_uploaded message message_ack message_ciphertext message_ciphertext_failed message_create message_edit ' +
    'message_reaction message_revoke_everyone message_revoke_me qr ready unread_count vote_update'
  ).split(' '),
);

export interface UnknownEventsContext {
  readonly clientId: string;
  readonly logger: Logger;
}

/**
 * Warns about listeners that will never be called. TypeScript refuses an unknown event name, but in JavaScript a typing
 * error would not be noticed. It is only a warning because a bot may use event names of its own.
 */
export class UnknownEvents {
  readonly #context: UnknownEventsContext;
  readonly #warned = new Set<string>();

  constructor(context: UnknownEventsContext) {
    this.#context = context;
  }

  /** To be called with the event of every new listener. */
  note(event: unknown): void {
    if (typeof event !== 'string' || isKnown(event)) return;
    if (this.#warned.has(event) || this.#warned.size >= MAX_NAMES) return;
    this.#warned.add(event);
    const { clientId, logger } = this.#context;
    const hint = hintFor(event);
    const shown = event.length > MAX_SHOWN ? `${event.slice(0, MAX_SHOWN)}…` : event;
    const message = `the session has no event ${JSON.stringify(shown)}, and never calls its listener${hint ?? ''}`;
    logger.warn(message);
    // Without a logger, only a name with a hint is reported: any other name may be the bot's own.
    if (logger === silentLogger && hint) emitProcessWarning(`the session "${clientId}": ${message}`);
  }
}

function isKnown(event: string): boolean {
  return (SESSION_EVENT_NAMES as readonly string[]).includes(event);
}

function hintFor(event: string): string | undefined {
  if (CLIENT_EVENTS.has(event)) return `: it is one of the client, client.on("${event}", ...)`;
  const nearest = event === 'remote_session_saved' ? 'save:completed' : nearestName(event);
  return nearest && `; did you mean "${nearest}"?`;
}

/** The event name that has nearly the same spelling, or that begins with `event`. */
function nearestName(event: string): string | undefined {
  const given = letters(event);
  if (given === '' || given.length > MAX_COMPARED) return undefined;
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(given.length / 4)) + 1;
  for (const name of SESSION_EVENT_NAMES) {
    const changes = changesBetween(given, letters(name));
    if (changes < least) [nearest, least] = [name, changes];
  }
  return nearest ?? SESSION_EVENT_NAMES.find((name) => given.length > 3 && letters(name).startsWith(given));
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '');
}

/** The Levenshtein distance: how many letters must be added, removed or replaced. */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const kept = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(kept, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
