import { SESSION_EVENT_NAMES } from './event-names.js';
import { type Logger, silentLogger } from './logger.js';
import { emitProcessWarning } from './process-warning.js';

/** Names that were warned of are remembered; a program that makes them up in a loop is told of no more. */
const MAX_NAMES = 100;
const MAX_SHOWN = 80;
/** Names are short: a longer text resembles none. */
const MAX_COMPARED = 40;

/** Of whatsapp-web.js (util/Constants.js). */
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
 * Warns of listeners that will never be called. TypeScript refuses the name; in JavaScript a typing error would be
 * silent. Names of a bot's own are allowed: hence a warning, and no error.
 */
export class UnknownEvents {
  readonly #context: UnknownEventsContext;
  readonly #warned = new Set<string>();

  constructor(context: UnknownEventsContext) {
    this.#context = context;
  }

  /** Call with the event of every new listener. */
  note(event: unknown): void {
    if (typeof event !== 'string' || isKnown(event)) return;
    if (this.#warned.has(event) || this.#warned.size >= MAX_NAMES) return;
    this.#warned.add(event);
    const { clientId, logger } = this.#context;
    const hint = hintFor(event);
    const shown = event.length > MAX_SHOWN ? `${event.slice(0, MAX_SHOWN)}…` : event;
    const message = `the session has no event ${JSON.stringify(shown)}, and never calls its listener${hint ?? ''}`;
    logger.warn(message);
    // Who has set no logger is told of what is a mistake for certain; it may be a name of the bot's own.
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

/** The name that is written nearly the same, or begins so. */
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

/** How many letters must be added, removed or replaced (Levenshtein). */
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
