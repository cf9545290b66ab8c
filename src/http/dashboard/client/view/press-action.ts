import type { ActionName } from '../../../contract.js';
import type { Ui } from './ui.js';

/** Runs what a button without further input stands for; asks first where it can't be undone by itself. */
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
