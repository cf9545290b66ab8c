import type { HealthPoint } from './state.js';

export interface HistoryLine {
  /** `points` of an SVG polyline in a box of the given size. */
  readonly points: string;
  readonly first: number;
  readonly last: number;
  readonly lowest: number;
  readonly highest: number;
  readonly durationMs: number;
}

/** The score over time as a line; `undefined` with fewer than two points. */
export function historyLine(
  history: readonly HealthPoint[],
  { width, height }: { readonly width: number; readonly height: number },
): HistoryLine | undefined {
  const first = history[0];
  const last = history.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  const durationMs = last.at - first.at;
  const scores = history.map(({ score }) => score);
  const points = history
    .map(({ at, score }) => {
      const x = (width * (at - first.at)) / durationMs;
      const y = height - (height * Math.min(100, Math.max(0, score))) / 100;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
  return {
    points,
    first: first.score,
    last: last.score,
    lowest: Math.min(...scores),
    highest: Math.max(...scores),
    durationMs,
  };
}
