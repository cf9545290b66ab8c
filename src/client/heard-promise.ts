/** A native promise that tells whether anybody listens to it. */
export interface HeardPromise {
  readonly promise: Promise<void>;
  /** Whether somebody has called `then()`, `catch()` or `finally()`, or has awaited the promise. */
  readonly isHeard: () => boolean;
  /** From now on node does not report a rejection that nobody listens to. */
  readonly mute: () => void;
}

/** Creates such a promise. By the language's rules, every way to listen to a promise first reads its `constructor`. */
export function heardPromise(
  executor: (resolve: () => void, reject: (error: unknown) => void) => void,
): HeardPromise {
  const promise = new Promise<void>(executor);
  let heard = false;
  Object.defineProperty(promise, 'constructor', {
    get: () => {
      heard = true;
      return Promise;
    },
  });
  const mute = () => {
    const before = heard;
    promise.catch(() => undefined);
    heard = before;
  };
  return { promise, isHeard: () => heard, mute };
}
