import { useState } from 'preact/hooks';
import { fill } from '../model/fill.js';
import type { Tone } from '../model/words.js';
import { Icon } from './icons.js';
import { Badge, Button } from './parts.js';
import { useUi } from './ui.js';

const LINK_TONES = { connecting: 'info', live: 'good', lost: 'critical', ended: 'critical' } satisfies Record<
  string,
  Tone
>;

/** Shows the client id, the state of the live connection, and the choices for the page itself. */
export function Header() {
  const { texts, state, theme, setTheme, locale, setLocale, logoutUrl } = useUi();
  const { link, status } = state;
  const words = link.refusal
    ? texts.link.refused
    : link.kind === 'ended'
      ? texts.link.lost
      : texts.link[link.kind];
  const tone = link.refusal ? 'warning' : LINK_TONES[link.kind];
  const isDark = theme === 'dark';
  return (
    <header class="top">
      <div class="brand">
        <span class="brand-mark">
          <Icon name="link" />
        </span>
        <div>
          <h1>{texts.title}</h1>
          {status && <p class="muted">{fill(texts.session, { id: status.session.clientId })}</p>}
        </div>
      </div>
      <div class="top-tools">
        <Badge tone={tone}>{words}</Badge>
        <button
          type="button"
          class="button quiet"
          lang={locale === 'ar' ? 'en' : 'ar'}
          onClick={() => setLocale(locale === 'ar' ? 'en' : 'ar')}
        >
          {texts.otherLanguage}
        </button>
        <button
          type="button"
          class="button quiet square"
          aria-label={isDark ? texts.light : texts.dark}
          title={isDark ? texts.light : texts.dark}
          onClick={() => setTheme(isDark ? 'light' : 'dark')}
        >
          <Icon name={isDark ? 'light' : 'dark'} />
        </button>
        {logoutUrl !== undefined && <LogOut url={logoutUrl} />}
      </div>
    </header>
  );
}

function LogOut({ url }: { readonly url: string }) {
  const { texts, control } = useUi();
  const [isBusy, setBusy] = useState(false);
  const logOut = async (): Promise<void> => {
    setBusy(true);
    // Whether it worked or not, the next page shows the true state.
    await control.api.post(url).catch(() => undefined);
    location.reload();
  };
  return (
    <div class="log-out">
      <Button
        kind="quiet"
        icon="logOut"
        label={texts.logOut}
        fullLabel={texts.logOut}
        isBusy={isBusy}
        onPress={logOut}
      />
    </div>
  );
}
