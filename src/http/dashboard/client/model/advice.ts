import type { HealthAction } from '../../../../health.js';
import type { ActionName } from '../../../contract.js';
import type { Texts } from '../texts/texts.js';
import { fill } from './fill.js';

/** The API action (and its button) that does the same as a method of the session. */
export const ACTION_OF: Readonly<Record<HealthAction | 'verify', ActionName>> = {
  backup: 'backup',
  forceSave: 'force-save',
  restore: 'restore',
  reconnect: 'reconnect',
  initialize: 'initialize',
  clear: 'clear',
  prune: 'prune',
  verify: 'verify',
};

/** The bot's advice in the page's words: it names methods for developers, but readers of this page have buttons. */
export function adviceWords(texts: Texts, advice: string): string {
  return advice.replace(/\b(\w+)\(\)/g, (call, method: string) =>
    isKnown(method) ? fill(texts.issues.button, { action: texts.actions.names[ACTION_OF[method]] }) : call,
  );
}

function isKnown(method: string): method is keyof typeof ACTION_OF {
  return Object.hasOwn(ACTION_OF, method);
}
