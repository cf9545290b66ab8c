import { describe, expect, it } from 'vitest';
import { EMPTY_RECORD } from '../../../src/supervision/record/session-record.js';
import { SessionRecordFile } from '../../../src/supervision/record/session-record-file.js';
import { FakeStage } from '../../support/fake-stage.js';

const PATH = '/bot/state/session.json';
const NOW = Date.parse('2026-11-30T12:00:00.000Z');
/** What the record notes by itself of a login that comes here. */
const placeLogin = { lineage: 'A', since: '2026-11-30T12:00:00.000Z' };

function setUp() {
  const { fs } = new FakeStage();
  const newRecord = () => new SessionRecordFile({ path: async () => PATH, fs, now: () => NOW });
  const write = async (text: string) => {
    await fs.promises.mkdir('/bot/state', { recursive: true });
    await fs.promises.writeFile(PATH, text);
  };
  return { fs, newRecord, write };
}

describe("the session's record", () => {
  it('is remembered by the next process', async () => {
    const { newRecord } = setUp();
    await newRecord().update({ lineage: 'A', run: 3, loggedIn: true, revokedLineages: ['B'] });
    expect(await newRecord().load()).toEqual({
      ...EMPTY_RECORD,
      lineage: 'A',
      run: 3,
      loggedIn: true,
      revokedLineages: ['B'],
      placeLogin,
    });
  });

  it('forgets a field that is set to undefined, and keeps the others', async () => {
    const { newRecord } = setUp();
    const record = newRecord();
    await record.update({ lineage: 'A', basedOn: 'one', run: 2 });
    await record.update({ basedOn: undefined });
    expect(record.current).toEqual({ ...EMPTY_RECORD, lineage: 'A', run: 2, placeLogin });
  });

  it('notes with each change of the login since when it is here, or none is, later each time', async () => {
    const record = setUp().newRecord();
    await record.update({ lineage: 'A' });
    await record.update({ lineage: undefined });
    expect(record.current.placeLogin).toEqual({ since: '2026-11-30T12:00:00.001Z' });
    await record.update({ lineage: 'B' });
    expect(record.current.placeLogin).toEqual({ lineage: 'B', since: '2026-11-30T12:00:00.002Z' });
    await record.update({ lineage: 'B', run: 2 });
    expect(record.current.placeLogin?.since).toBe('2026-11-30T12:00:00.002Z');
  });

  it.each([
    ['missing', undefined],
    ['no JSON', '{'],
    ['no object', 'null'],
    ['of wrong types', '{"lineage": 5, "run": -1, "loggedIn": "yes", "revokedLineages": "A", "account": ""}'],
  ])('is empty where it is %s', async (_name, text) => {
    const { newRecord, write } = setUp();
    if (text !== undefined) await write(text);
    expect(await newRecord().load()).toEqual(EMPTY_RECORD);
  });

  it('leaves out of its lists what is no text, and the oldest beyond 200', async () => {
    const { newRecord, write } = setUp();
    const many = Array.from({ length: 250 }, (_, index) => `lineage ${index}`);
    await write(JSON.stringify({ revokedLineages: [5, ...many, null] }));
    const { revokedLineages } = await newRecord().load();
    expect(revokedLineages).toEqual(many.slice(50));
  });

  it('rejects when it can not be read: a revocation must not be forgotten by a disk that fails', async () => {
    const { fs, newRecord, write } = setUp();
    await write('{}');
    fs.arm({ operation: 'handle.read', failOn: 1, errno: 'EIO' });
    await expect(newRecord().load()).rejects.toMatchObject({ code: 'STORE' });
  });

  it('is never half-written: a write that fails leaves the old one', async () => {
    const { fs, newRecord } = setUp();
    const record = newRecord();
    await record.update({ lineage: 'A' });
    fs.arm({ operation: 'handle.writeFile', failOn: 1, errno: 'ENOSPC' });
    await expect(record.update({ lineage: 'B' })).rejects.toThrow('ENOSPC');
    fs.arm({});
    expect((await newRecord().load()).lineage).toBe('A');
  });

  it('keeps what was said last, however many say something at once', async () => {
    const { newRecord } = setUp();
    const record = newRecord();
    await Promise.all([...Array(20).keys()].map((run) => record.update({ run })));
    expect((await newRecord().load()).run).toBe(19);
  });

  it('is for its owner only', async () => {
    const { fs, newRecord } = setUp();
    await newRecord().update({ lineage: 'A' });
    expect(Number((await fs.promises.stat(PATH)).mode) & 0o777).toBe(0o600);
    expect(Number((await fs.promises.stat('/bot/state')).mode) & 0o777).toBe(0o700);
  });

  it('is gone after remove(), whether it was there or not', async () => {
    const { newRecord } = setUp();
    const record = newRecord();
    await record.update({ lineage: 'A' });
    await record.remove();
    await record.remove();
    expect(record.current).toEqual(EMPTY_RECORD);
    expect(await newRecord().load()).toEqual(EMPTY_RECORD);
  });
});
