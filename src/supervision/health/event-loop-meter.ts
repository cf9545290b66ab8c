import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Each tick wakes the process: with 20 ms they took more of it than all health checks. */
const RESOLUTION_MS = 100;
const NS_PER_MS = 1e6;
/** With fewer ticks, a 99th percentile means nothing. */
const MIN_TICKS = 20;

/** Measures how long node's event loop delays a timer. Its own timer never keeps the process alive. */
export class EventLoopMeter {
  #histogram: IntervalHistogram | undefined;

  start(): void {
    if (this.#histogram) return;
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  /** 99th percentile since the last call, ms; `undefined` while stopped or right after the start. */
  read(): number | undefined {
    const histogram = this.#histogram;
    if (histogram === undefined || histogram.count < MIN_TICKS) return undefined;
    const delayMs = histogram.percentile(99) / NS_PER_MS - RESOLUTION_MS;
    histogram.reset();
    return Math.max(0, delayMs);
  }
}
