import { silentLogger } from '../../logger.js';
import { emitProcessWarning } from '../../process-warning.js';
import type { SessionContext } from '../context/session-context.js';

/** Reports that the client was started without its session. Nothing of it would be saved, so its browser is closed. */
export function tellOfEarlyStart({ clientId, logger, warn }: EarlyStartContext): void {
  const message =
    'the client was started before its session was made, and its browser is closed again: nothing of it would be saved. ' +
    'Call new PersistentSession(client) first, then initialize()';
  if (logger === silentLogger) emitProcessWarning(`the session "${clientId}": ${message}`);
  warn('started-early', message);
}

type EarlyStartContext = Pick<SessionContext, 'clientId' | 'logger' | 'warn'>;
