import { execFile } from 'node:child_process';

/** Runs a program of the system and resolves to its output; rejects when it fails or takes too long. */
export type RunCommand = (file: string, args: readonly string[]) => Promise<string>;

/** PowerShell takes seconds to start on a busy machine. */
const DEADLINE_MS = 10_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Really runs the program: no shell, English output, UTC, with a limit on time and output. */
export const runCommand: RunCommand = (file, args) =>
  new Promise((resolve, reject) => {
    const options = {
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
      // The start times are compared as text, so they must not depend on the caller's locale or time zone.
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    } as const;
    execFile(file, args, options, (error, stdout, stderr) =>
      error ? reject(Object.assign(error, { stderr })) : resolve(stdout),
    );
  });
