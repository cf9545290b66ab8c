import { useState } from 'preact/hooks';
import type { PairingCode } from '../../../contract.js';
import { plain } from '../model/fill.js';
import { Icon } from './icons.js';
import { Age, Button, Card, Skeleton } from './parts.js';
import { useUi } from './ui.js';

/** The waiting QR or pairing code, and instructions for it. */
export function PairingCard() {
  const { texts, state } = useUi();
  const { status } = state;
  if (status?.session.state !== 'awaiting_qr') return null;
  const { qr, pairingCode } = status;
  return (
    <Card id="pairing" title={texts.pairing.title}>
      <div class="pairing">
        {pairingCode === null ? <Qr qr={qr} /> : <TypedCode code={pairingCode} />}
        <div>
          <ol class="steps">
            {(pairingCode === null ? texts.pairing.steps : texts.pairing.codeSteps).map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          {(pairingCode ?? qr) && (
            <p class="muted">
              <Age at={(pairingCode ?? qr)?.receivedAt ?? ''} text={texts.pairing.received} />
            </p>
          )}
          <p class="caution">
            <Icon name="warning" />
            <span>{texts.pairing.ownPhone}</span>
          </p>
        </div>
      </div>
    </Card>
  );
}

function Qr({ qr }: { readonly qr: PairingCode | null }) {
  const { texts, control } = useUi();
  const [attempt, setAttempt] = useState(0);
  const [shown, setShown] = useState<{ readonly url: string; readonly isThere: boolean }>();
  if (qr === null) {
    return (
      <div class="qr">
        <Skeleton lines={6} />
      </div>
    );
  }
  const url = control.api.qrUrl(qr.receivedAt, attempt);
  const outcome = shown?.url === url ? shown : undefined;
  if (outcome?.isThere === false) {
    return (
      <div class="qr qr-failed" role="alert">
        <p>{texts.pairing.qrFailed}</p>
        <Button label={texts.tryAgain} onPress={() => setAttempt(attempt + 1)} />
      </div>
    );
  }
  return (
    <div class="qr" aria-busy={outcome === undefined}>
      <img
        src={url}
        alt={texts.pairing.qrAlt}
        width="320"
        height="320"
        onLoad={() => setShown({ url, isThere: true })}
        onError={() => setShown({ url, isThere: false })}
      />
    </div>
  );
}

function TypedCode({ code }: { readonly code: PairingCode }) {
  const { texts } = useUi();
  const value = plain(code.value);
  // Shown in two halves, because the phone asks for it in this form.
  const parts = value.length === 8 ? [value.slice(0, 4), value.slice(4)] : [value];
  return (
    <div class="typed-code">
      <p class="muted">{texts.pairing.code}</p>
      <p>
        <bdi dir="ltr">{parts.join('-')}</bdi>
      </p>
    </div>
  );
}
