import type { Trial } from './trial.js';

const WIDTHS = {
  damage: 56,
  file: 42,
  told: 64,
  restored: 9,
  state: 12,
  qrs: 4,
  data: 20,
  seconds: 8,
} as const;

export const TRIAL_HEAD = row(
  'damage',
  'file',
  'how it was told',
  'restored',
  'state',
  'QRs',
  'data',
  'seconds',
);

/** One line of the table. */
export function printTrial(trial: Trial): string {
  const data = trial.differing.length === 0 ? 'same' : trial.differing.join(', ');
  const verdict = trial.ok ? '' : '  FAILED';
  const { damage, file, told, restored, state } = trial;
  return (
    row(damage, file, told, restored, state, String(trial.qrs), data, trial.seconds.toFixed(1)) + verdict
  );
}

/** A text cut or padded to `width`, followed by a space. */
export function column(text: string, width: number): string {
  const line = text.replaceAll('\n', ' ');
  return `${line.length > width ? `${line.slice(0, width - 1)}…` : line.padEnd(width)} `;
}

function row(...cells: readonly string[]): string {
  const widths = Object.values(WIDTHS);
  return cells.map((cell, index) => column(cell, widths[index] ?? 10)).join('');
}
