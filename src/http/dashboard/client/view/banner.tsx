import type { ErrorBody } from '../../../contract.js';
import { fill, plain } from '../model/fill.js';
import { errorText } from '../model/words.js';
import { Icon } from './icons.js';
import { Button } from './parts.js';
import { useUi } from './ui.js';

/** Says that the values shown may be old, and why. */
export function Banner() {
  const { texts, state, control } = useUi();
  const { link, problem, status } = state;
  if (link.kind === 'ended') {
    return (
      <div class="banner critical" role="alert">
        <Icon name="critical" />
        <p>
          <strong>{texts.link.ended}</strong> {texts.link.endedHint}
        </p>
        <Button kind="primary" label={texts.link.logIn} onPress={() => location.reload()} />
      </div>
    );
  }
  // If the bot does not answer at all now, its earlier refusal no longer matters.
  if (link.refusal && !problem) return <Refused refusal={link.refusal} />;
  if (link.kind === 'lost' && status) return <Lost since={link.since} />;
  if (!problem) return null;
  return (
    <div class="banner critical" role="alert">
      <Icon name="critical" />
      <p>
        <strong>{texts.loadFailed}</strong> {errorText(texts, problem)}{' '}
        <bdi class="muted">{plain(problem.message)}</bdi>
      </p>
      <Button kind="primary" label={texts.tryAgain} onPress={() => control.readAgain()} />
    </div>
  );
}

/** The bot answers, and the page reads its state regularly: only the events are missing. */
function Refused({ refusal }: { readonly refusal: ErrorBody }) {
  const { texts } = useUi();
  return (
    <div class="banner warning" role="alert">
      <Icon name="warning" />
      <p>
        <strong>{texts.link.refused}.</strong> {errorText(texts, refusal)} {texts.link.refusedHint}
      </p>
    </div>
  );
}

function Lost({ since }: { readonly since: number }) {
  const { texts, format, now } = useUi();
  return (
    <div class="banner critical">
      <Icon name="critical" />
      {/* Announced once, and not again every second as its time changes. */}
      <p class="sr-only" role="alert">
        {texts.link.lost}. {texts.link.lostHint}
      </p>
      <p aria-hidden="true">
        <strong>{fill(texts.link.lostSince, { duration: format.duration(now - since) })}</strong>{' '}
        {texts.link.lostHint}
      </p>
    </div>
  );
}
