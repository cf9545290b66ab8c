import type { ActionName } from '../../../contract.js';
import type { Ui } from './ui.js';

/** Runs the action of a button without further input; asks first if the action can't easily be undone. */
export function pressAction(
  { ask, control }: Pick<Ui, 'ask' | 'control'>,
  action: ActionName,
  key: string,
): void {
  switch (action) {
    case 'clear':
    case 'restore':
      return ask({ kind: action });
    case 'destroy':
      return ask({ kind: 'stop' });
    case 'send-test-message':
      return document.getElementById('phone')?.focus();
    default:
      control.run(key, { action }).catch(() => undefined);
  }
}
