import { describe, expect, it } from 'vitest';
import { EventLoopMeter } from '../../../src/supervision/health/event-loop-meter.js';

describe('the meter of the event loop', () => {
  it('says nothing while it is stopped, nor when it has only just begun', () => {
    const meter = new EventLoopMeter();
    expect(meter.read()).toBeUndefined();
    meter.start();
    meter.start();
    expect(meter.read()).toBeUndefined();
    meter.stop();
    meter.stop();
    expect(meter.read()).toBeUndefined();
  });

  it('tells a delay in ms, without the time between its own ticks', async () => {
    const meter = new EventLoopMeter();
    meter.start();
    let delayMs: number | undefined;
    for (let look = 0; look < 500 && delayMs === undefined; look++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      delayMs = meter.read();
    }
    meter.stop();
    expect(delayMs).toBeGreaterThanOrEqual(0);
  });
});
