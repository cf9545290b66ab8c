import { render } from 'preact';
import { Api } from './api.js';
import { formatOf } from './model/format.js';
import {
  applyLocale,
  applyTheme,
  forgetAskedLocale,
  initialLocale,
  initialTheme,
  remember,
} from './preferences.js';
import { SessionControl } from './session-control.js';
import { textsOf } from './texts/of.js';
import { Page } from './view/page.js';

/** Ages are shown in words, so they need not be exact to the second. */
const REDRAW_EVERY_MS = 5_000;

// The server writes these values for the script: see page.ts.
const { apiUrl = '', logoutUrl, allowDownload } = document.body.dataset;

let locale = initialLocale();
let theme = initialTheme();
let isDrawing = false;

const control = new SessionControl(new Api(apiUrl), drawSoon);

/** Draws many simultaneous changes once. */
function drawSoon(): void {
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(() => {
    isDrawing = false;
    draw();
  });
}

function draw(): void {
  const texts = textsOf(locale);
  document.title = `${texts.title} – wwebjs-persistent-session`;
  const ui = {
    locale,
    theme,
    texts,
    format: formatOf(locale),
    state: control.state,
    control,
    now: control.api.now(),
    allowDownload: allowDownload === 'true',
    logoutUrl,
    setLocale(chosen: typeof locale) {
      locale = chosen;
      remember('locale', chosen);
      forgetAskedLocale();
      applyLocale(chosen);
      drawSoon();
    },
    setTheme(chosen: typeof theme) {
      theme = chosen;
      remember('theme', chosen);
      applyTheme(chosen);
      drawSoon();
    },
  };
  render(<Page ui={ui} />, document.body);
}

applyLocale(locale);
applyTheme(theme);
document.body.replaceChildren();
draw();
control.start();
setInterval(drawSoon, REDRAW_EVERY_MS);
