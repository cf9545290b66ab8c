import type { ActionName, ActionRequest, ActionResults } from './contract.js';
import { HttpError } from './errors.js';
import type { SessionLike } from './session-like.js';

/** Actions that are answered with their result. Others get a job at once, unless the caller waits. */
const AWAITED: readonly ActionName[] = ['initialize', 'health-check', 'send-test-message'];
/** Actions that can't be undone. */
const IRREVERSIBLE: readonly ActionName[] = ['clear', 'restore'];

export function isAwaited(action: ActionName): boolean {
  return AWAITED.includes(action);
}

/** @throws HttpError 428 for an action that can't be undone and was not confirmed */
export function assertConfirmed(request: ActionRequest): void {
  if (!IRREVERSIBLE.includes(request.action) || ('confirm' in request && request.confirm === true)) return;
  throw new HttpError(428, 'CONFIRMATION_REQUIRED', `${request.action} from a page needs "confirm": true`);
}

/** Runs the requested action. */
export async function runAction(
  session: SessionLike,
  request: ActionRequest,
): Promise<ActionResults[ActionName]> {
  switch (request.action) {
    case 'initialize':
      return stateAfter(session, session.initialize());
    case 'reconnect':
      return stateAfter(session, session.reconnect());
    case 'destroy':
      return stateAfter(session, session.destroy());
    case 'clear':
      return stateAfter(session, session.clear({ logout: request.logout ?? false }));
    case 'health-check':
      return session.checkHealth();
    case 'send-test-message':
      return session.sendTestMessage(request.phoneNumber, request.message);
    case 'backup':
      return session.backup();
    case 'force-save':
      return session.forceSave();
    case 'restore':
      return { snapshot: await session.restore(request.snapshotId) };
    case 'verify':
      return session.verify(request.snapshotId);
    case 'prune':
      return session.prune();
  }
}

async function stateAfter(session: SessionLike, work: Promise<void>): Promise<ActionResults['initialize']> {
  await work;
  return { state: session.state };
}
