import { execFile } from 'node:child_process';

/** Runs a program of the system and resolves to what it printed; rejects when it fails or takes too long. */
export type RunCommand = (file: string, args: readonly string[]) => Promise<string>;

/** PowerShell takes seconds to start on a busy machine. */
const DEADLINE_MS = 10_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** The real one: no shell, English, UTC, bounded in time and output. */
export const runCommand: RunCommand = (file, args) =>
  new Promise((resolve, reject) => {
    const options = {
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
      // The start times are compared as text: they must not depend on who asks.
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    } as const;
    execFile(file, args, options, (error, stdout, stderr) =>
      error ? reject(Object.assign(error, { stderr })) : resolve(stdout),
    );
  });
