import { useRef } from 'preact/hooks';
import { fill } from '../model/fill.js';
import { useUi } from './ui.js';

/** Announces changes of the state to screen readers, but not the state at page load. */
export function Announcer() {
  const { texts, state } = useUi();
  const now = state.status?.session.state;
  const first = useRef(now);
  first.current ??= now;
  const hasChanged = useRef(false);
  hasChanged.current ||= now !== first.current;
  const word = now === undefined ? '' : texts.state.words[now];
  return (
    <p class="sr-only" role="status" aria-live="polite">
      {hasChanged.current &&
        (now === 'awaiting_qr' ? texts.pairing.announce : fill(texts.state.announce, { state: word }))}
    </p>
  );
}
