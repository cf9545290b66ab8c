/** A promise of the language's own kind, and what is known of who listens to it. */
export interface HeardPromise {
  readonly promise: Promise<void>;
  /** Whether somebody has called `then()`, `catch()` or `finally()`, or awaits it. */
  readonly isHeard: () => boolean;
  /** From here on node says nothing of a rejection that nobody listens to. */
  readonly mute: () => void;
}

/** Each way to listen to a promise looks at its `constructor` first: so the language has it. */
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
