import type { SessionState } from '../../../../state.js';
import { isRunning } from '../model/state.js';
import type { ListedAction } from '../texts/texts.js';
import type { IconName } from './icons.js';
import { Button, Card } from './parts.js';
import { pressAction } from './press-action.js';
import { useUi } from './ui.js';

const ICONS: Readonly<Record<ListedAction, IconName>> = {
  initialize: 'start',
  reconnect: 'reconnect',
  'force-save': 'save',
  backup: 'backup',
  verify: 'verify',
  restore: 'restore',
  prune: 'prune',
  destroy: 'stop',
  clear: 'clear',
};

const NOT_RUNNING: readonly SessionState[] = ['idle', 'stopped', 'failed'];

/** The actions on the session as a whole. */
export function ActionsCard() {
  const ui = useUi();
  const { texts, state } = ui;
  const now = state.status?.session.state;
  const isUp = now !== undefined && !NOT_RUNNING.includes(now);
  // Actions that make no sense now are not offered; whether another one is possible is for the bot to decide.
  const offered: readonly ListedAction[] = [
    ...(isUp ? (['reconnect'] as const) : (['initialize'] as const)),
    ...(isUp ? (['force-save', 'backup'] as const) : []),
    'verify',
    'restore',
    'prune',
    ...(isUp ? (['destroy'] as const) : []),
    'clear',
  ];
  return (
    <Card id="actions" title={texts.actions.title}>
      <div class="actions">
        {offered.map((action) => (
          <Button
            key={action}
            kind={action === 'clear' ? 'danger' : action === 'initialize' ? 'primary' : 'plain'}
            icon={ICONS[action]}
            label={texts.actions.names[action]}
            hint={texts.actions.hints[action]}
            isBusy={isRunning(state, action)}
            isDisabled={now === undefined}
            onPress={() => pressAction(ui, action, action)}
          />
        ))}
      </div>
    </Card>
  );
}
