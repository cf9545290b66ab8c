import { useId, useState } from 'preact/hooks';
import { fill } from '../model/fill.js';
import { phoneDigits } from '../model/phone-number.js';
import { isRunning } from '../model/state.js';
import { Button, Card } from './parts.js';
import { useUi } from './ui.js';

/** No-break spaces keep it on one line. */
const EXAMPLE = '+20\u00a0123\u00a0456\u00a07890';
/** The longest message that the bot accepts. */
const MAX_MESSAGE = 4096;

/** Sends a test message, which proves that the session works. */
export function MessageCard() {
  const { texts, state, control } = useUi();
  const [phone, setPhone] = useState('');
  const [text, setText] = useState<string>();
  const [isTried, setTried] = useState(false);
  const ids = { phone: useId(), text: useId() };
  const isReady = state.status?.session.connected === true;
  const message = text ?? texts.message.textDefault;
  const digits = phoneDigits(phone);
  const isPhoneWrong = isTried && digits === undefined;
  const isTextWrong = isTried && message.trim() === '';

  const send = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!isReady || isRunning(state, 'send-test-message')) return;
    setTried(true);
    if (digits === undefined || message.trim() === '') {
      const wrong = digits === undefined ? 'phone' : 'text';
      if (form instanceof HTMLFormElement) form.querySelector<HTMLElement>(`[name=${wrong}]`)?.focus();
      return;
    }
    setTried(false);
    control
      .run('send-test-message', { action: 'send-test-message', phoneNumber: digits, message })
      .catch(() => undefined);
  };

  return (
    <Card id="message" title={texts.message.title}>
      <form class="form" noValidate onSubmit={send}>
        <label for="phone">{texts.message.phone}</label>
        <input
          id="phone"
          name="phone"
          type="tel"
          inputMode="tel"
          dir="ltr"
          autocomplete="tel"
          maxLength={40}
          value={phone}
          aria-describedby={ids.phone}
          aria-invalid={isPhoneWrong}
          onInput={(event) => setPhone(event.currentTarget.value)}
        />
        <p id={ids.phone} class={isPhoneWrong ? 'field-wrong' : 'muted'}>
          {isPhoneWrong ? texts.message.phoneWrong : fill(texts.message.phoneHint, { example: EXAMPLE })}
        </p>
        <label for="text">{texts.message.text}</label>
        <textarea
          id="text"
          name="text"
          rows={2}
          dir="auto"
          maxLength={MAX_MESSAGE}
          value={message}
          aria-describedby={ids.text}
          aria-invalid={isTextWrong}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p id={ids.text} class={isTextWrong ? 'field-wrong' : 'muted'}>
          {isTextWrong ? texts.message.textWrong : isReady ? '' : texts.message.notReady}
        </p>
        <Button
          type="submit"
          kind="primary"
          icon="send"
          label={texts.message.send}
          isBusy={isRunning(state, 'send-test-message')}
          isDisabled={!isReady}
        />
      </form>
    </Card>
  );
}
