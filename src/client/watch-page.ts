import type { Clock } from '../clock.js';
import type { ClientEvent } from './client-event.js';
import type { PageHandle } from './client-types.js';
import { containPage } from './contain-page.js';
import { refuseErrorPage } from './error-page.js';
import { holdNavigation } from './hold-navigation.js';
import type { PageNews } from './page-news.js';
import { titleOf } from './start-news.js';

export interface PageWatch {
  readonly clock: Clock;
  readonly news: PageNews;
  /** Called for the page's own events, as long as it is the client's page. */
  readonly tell: (event: ClientEvent) => void;
  readonly onContained: (event: Extract<ClientEvent, { readonly type: 'contained' }>) => void;
  /** Whether the client's own `initialize()` is running. */
  readonly isStarting: () => boolean;
  /** Resolves when the page may open; see {@link holdNavigation}. */
  readonly mayNavigate: () => Promise<void>;
}

/** Watches and guards the page of a client from the moment that the client has it (docs/chromium-facts.md F2.3). */
export function watchPage(page: PageHandle, watch: PageWatch): void {
  const { clock, news, tell, isStarting, mayNavigate, onContained } = watch;
  page.on('error', () => tell({ type: 'page-crashed' }));
  page.on('close', () => tell({ type: 'page-crashed' }));
  page.on('framenavigated', () => tell({ type: 'progress' }));
  holdNavigation(page, mayNavigate);
  refuseErrorPage(page, { applies: isStarting, titleOf: () => titleOf(page, clock) });
  page.on('pageerror', (error) => news.note('the page', error));
  containPage(page, (error, exposed) => {
    if (exposed !== undefined) news.note(exposed, error);
    onContained({ type: 'contained', error, exposed });
  });
}
