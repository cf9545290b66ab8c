import type { ComponentChildren } from 'preact';
import { fill } from '../model/fill.js';
import type { Tone } from '../model/words.js';
import { Icon, type IconName } from './icons.js';
import { useUi } from './ui.js';

export interface CardProps {
  readonly id: string;
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A section of the page with its heading. */
export function Card({ id, title, aside, children }: CardProps) {
  return (
    <section class="card" id={id} aria-labelledby={`${id}-title`}>
      <header class="card-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export interface ButtonProps {
  readonly label: ComponentChildren;
  readonly icon?: IconName;
  readonly kind?: 'primary' | 'danger' | 'plain' | 'quiet';
  readonly hint?: string;
  /** Shows that the action is running; the button can't be pressed meanwhile. */
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  /** The label for screen readers, whose users can't see what the button stands beside. */
  readonly fullLabel?: string;
  readonly type?: 'button' | 'submit';
  readonly onPress?: () => void;
}

/** A button that keeps its place in the tab order while it can't be pressed, so that the focus is not lost. */
export function Button(props: ButtonProps) {
  const { texts } = useUi();
  const { label, icon, kind = 'plain', hint, isBusy = false, isDisabled = false, type = 'button' } = props;
  const press = (event: Event): void => {
    if (isBusy || isDisabled) event.preventDefault();
    else props.onPress?.();
  };
  return (
    <button
      type={type}
      class={`button ${kind}${hint ? ' row' : ''}`}
      aria-disabled={isBusy || isDisabled}
      aria-busy={isBusy}
      aria-label={props.fullLabel}
      onClick={press}
    >
      {isBusy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span class="button-text">
        <span>{label}</span>
        {hint && <small>{isBusy ? `${texts.actions.running}…` : hint}</small>}
      </span>
      {isBusy && !hint && <span class="sr-only">{texts.actions.running}</span>}
    </button>
  );
}

/** A badge that shows its tone by colour, shape and words. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <Icon name={tone} />
      <span>{children}</span>
    </span>
  );
}

/** How long ago in words, with the exact time as a tooltip. `{age}` marks its place in `text`. */
export function Age({ at, text }: { readonly at: string; readonly text?: string }) {
  const { format, now } = useUi();
  const age = format.age(now - Date.parse(at));
  return (
    <time dateTime={at} title={format.time(at)}>
      {text === undefined ? age : fill(text, { age })}
    </time>
  );
}

/** An id, a path or a phone number, written from left to right in every language. */
export function Code({ children }: { readonly children: string }) {
  return (
    <bdi class="code" dir="ltr">
      {children}
    </bdi>
  );
}

export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  const { texts } = useUi();
  return (
    <div class="skeleton">
      <span class="sr-only">{texts.loading}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class="skeleton-line" aria-hidden="true" />
      ))}
    </div>
  );
}

export interface ShowAllProps {
  readonly count: number;
  readonly isWhole: boolean;
  readonly onPress: () => void;
}

/** The button below a long list: it shows the whole list, or only the beginning. */
export function ShowAll({ count, isWhole, onPress }: ShowAllProps) {
  const { texts, format } = useUi();
  const label = isWhole ? texts.showFewer : fill(texts.showAll, { n: format.number(count) });
  return <Button kind="quiet" label={label} onPress={onPress} />;
}
