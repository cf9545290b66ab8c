import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PersistentSession } from '../../src/index.js';
import { useFakeStage } from '../support/fake-stage.js';

/** As JavaScript sees the session: any name is taken. */
interface Untyped {
  on(event: string | symbol, listener: () => void): unknown;
  once(event: string | symbol, listener: () => void): unknown;
  addListener(event: string | symbol, listener: () => void): unknown;
}

const untyped = (session: PersistentSession) => session as unknown as Untyped;
const nothing = () => undefined;

describe('a listener of an event that the session does not have', () => {
  const stage = useFakeStage();
  const processWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);

  afterEach(() => processWarning.mockClear());

  function listening(...events: readonly (string | symbol)[]): readonly string[] {
    const warnings: string[] = [];
    const logger = {
      debug: nothing,
      info: nothing,
      warn: (text: string) => warnings.push(text),
      error: nothing,
    };
    const { session } = stage().bot({ session: { logger } });
    for (const event of events) untyped(session).on(event, nothing);
    return warnings;
  }

  it.each([
    ['save:complete', 'save:completed'],
    ['backup:complete', 'backup:completed'],
    ['health:change', 'health:changed'],
    ['Warning', 'warning'],
    ['warnings', 'warning'],
    ['saveCompleted', 'save:completed'],
    ['reconnect_scheduled', 'reconnect:scheduled'],
    ['state', 'state:changed'],
  ])('is warned of by the nearest name (%s)', (given, nearest) => {
    const warnings = listening(given);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`"${given}"`);
    expect(warnings[0]).toContain(`"${nearest}"`);
  });

  it.each(['ready', 'qr', 'message', 'disconnected', 'vote_update'])(
    'is sent to the client where the event is one of its own (%s)',
    (given) => {
      const warnings = listening(given);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`client.on("${given}", ...)`);
    },
  );

  it('is warned of once for each name, by whatever method it comes', () => {
    const warnings: string[] = [];
    const logger = {
      debug: nothing,
      info: nothing,
      warn: (text: string) => warnings.push(text),
      error: nothing,
    };
    const session = untyped(stage().bot({ session: { logger } }).session);
    session.on('save:complete', nothing);
    session.once('save:complete', nothing);
    session.addListener('save:complete', nothing);
    session.once('save:fail', nothing);
    expect(warnings).toHaveLength(2);
  });

  it('is heard all the same: a bot may use names of its own', () => {
    const { session } = stage().bot();
    const heard = vi.fn();
    untyped(session).on('shop:order', heard);
    (session.emit as unknown as (event: string) => boolean).call(session, 'shop:order');
    expect(heard).toHaveBeenCalledOnce();
  });

  it('with a name of its own that resembles nothing is offered nothing', () => {
    const [warning] = listening('shop:order');
    expect(warning).toContain('"shop:order"');
    expect(warning).not.toContain('did you mean');
  });

  it('names no symbol, and warns of no event that is there', () => {
    expect(listening(Symbol('own'), 'warning', 'state:changed', 'save:completed')).toEqual([]);
  });

  it('reaches a bot without a logger, unless the name is its own', () => {
    const session = untyped(stage().bot().session);
    session.on('shop:order', nothing);
    expect(processWarning).not.toHaveBeenCalled();
    session.on('save:complete', nothing);
    expect(processWarning).toHaveBeenCalledWith(
      expect.stringContaining('"save:completed"'),
      'PersistentSessionWarning',
    );
  });

  it('warns of a long name in a line, and of the names of a loop only so often', () => {
    const warnings = listening(
      `${'x'.repeat(10_000)}`,
      ...Array.from({ length: 1000 }, (_, i) => `own-${i}`),
    );
    expect(warnings[0]?.length).toBeLessThan(500);
    expect(warnings.length).toBeLessThanOrEqual(100);
  });
});
