import type { Notice } from '../model/state.js';
import { noticeWords } from '../model/words.js';
import { Icon } from './icons.js';
import { useUi } from './ui.js';

/** How the actions ended. A notice stays until it is closed or newer ones replace it, so nobody has to hurry. */
export function Notices() {
  const { state } = useUi();
  return (
    <div class="notices" role="status" aria-live="polite" aria-relevant="additions text">
      {state.notices.map((notice) => (
        <Line key={notice.key} notice={notice} />
      ))}
    </div>
  );
}

function Line({ notice }: { readonly notice: Notice }) {
  const ui = useUi();
  const { tone, text, detail } = noticeWords(ui, notice);
  return (
    <div class={`notice ${tone}`} data-action={notice.action}>
      <span class="mark">
        <Icon name={tone} />
      </span>
      <div>
        <p>{text}</p>
        {detail !== undefined && (
          <p class="muted detail">
            <bdi>{detail}</bdi>
          </p>
        )}
      </div>
      <button
        type="button"
        class="button quiet square"
        aria-label={ui.texts.close}
        onClick={() => ui.control.dismiss(notice.key)}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
