import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { SnapshotInfo } from '../../../../types.js';
import type { Locale } from '../../locale.js';
import type { DashboardState } from '../model/state.js';
import type { Language } from '../model/words.js';
import type { Theme } from '../preferences.js';
import type { SessionControl } from '../session-control.js';

/** The context that every part of the page may use. */
export interface Ui extends Language {
  readonly locale: Locale;
  readonly theme: Theme;
  readonly state: DashboardState;
  readonly control: SessionControl;
  /** Milliseconds since 1970 by the bot's clock. */
  readonly now: number;
  readonly allowDownload: boolean;
  readonly logoutUrl: string | undefined;
  setLocale(locale: Locale): void;
  setTheme(theme: Theme): void;
  /** Asks before an action that can't easily be undone. */
  ask(question: Question): void;
}

export type Question =
  | { readonly kind: 'restore'; readonly snapshot?: SnapshotInfo }
  | { readonly kind: 'clear' }
  | { readonly kind: 'stop' };

export const UiContext = createContext<Ui | undefined>(undefined);

export function useUi(): Ui {
  const ui = useContext(UiContext);
  if (ui === undefined) throw new Error('outside of the page');
  return ui;
}
