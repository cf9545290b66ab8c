import { abortReason } from '../../clock.js';
import { describeError, errnoOf, isSessionError, StoreError } from '../../errors.js';

/** A server may quote a whole request in its message. */
const MAX_WORDS = 300;

/** What to do about a refusal that does not go away by itself, by the code of S3. */
const REFUSALS: Readonly<Record<string, string>> = {
  AccessDenied: 'these keys lack a right; docs/stores/s3.md lists the rights that are needed',
  AccountProblem: 'something is wrong with the account',
  AllAccessDisabled: 'the bucket is disabled',
  AuthorizationHeaderMalformed: 'check the region',
  CredentialsProviderError:
    'no keys were found: set credentials, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  EntityTooLarge: 'the service takes no object of this size',
  ExpiredToken: 'the keys have expired',
  IllegalLocationConstraintException: 'check the region',
  InvalidAccessKeyId: 'check accessKeyId',
  InvalidBucketName: 'check the name of the bucket',
  InvalidToken: 'check sessionToken',
  KMSAccessDeniedException: 'these keys lack the right to use the key of the bucket',
  NoSuchBucket: 'the bucket does not exist: check its name, the region and the endpoint',
  PermanentRedirect: 'the bucket is in another region: check region and endpoint',
  RequestTimeTooSkewed: 'the clock of this machine is wrong',
  SignatureDoesNotMatch: 'check secretAccessKey',
  TokenRefreshRequired: 'the keys have expired',
  'Region is missing': 'set region, or AWS_REGION',
};

/** Refusals by their status alone, where the answer has no code (to a HEAD, or of a server that is no S3). */
const REFUSED_STATUS: Readonly<Record<number, string>> = {
  301: 'the bucket is in another region, or the endpoint is no S3 service',
  307: 'the bucket is in another region, or the endpoint is no S3 service',
  400: 'the keys have expired, or the region is wrong',
  401: 'the keys are refused',
  403: 'the keys are wrong, or lack a right',
  405: 'the endpoint is no S3 service',
};

/** What the SDK calls an answer without a text, such as every one to a HEAD. */
const NO_CODE = 'Unknown';

/** What node says of a certificate that it does not trust. */
const TLS_TROUBLE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)|HOSTNAME_MISMATCH|EPROTO)/;

/** Codes of a request that arrived otherwise than it was sent; the next time it may come whole. */
const DAMAGED_ON_ITS_WAY: ReadonlySet<string> = new Set(['BadDigest', 'IncompleteBody', 'RequestTimeout']);

/**
 * What is known of a failed request. The error of the SDK is not kept: it holds the request with its signature, and may
 * hold tokens.
 */
export class S3Failure extends Error {
  override readonly name = 'S3Failure';
  /** The code of S3 (`NoSuchBucket`), of the system (`ECONNRESET`), or the name of the error. */
  readonly code: string;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** How often the SDK has sent the request; after the first time, an earlier one may have been done. */
  readonly attempts: number;
  /** For the support of the service. */
  readonly requestId: string | undefined;

  constructor(error: unknown, secrets: readonly string[]) {
    const { $metadata = {}, name, Code } = (error ?? {}) as SdkError;
    const hide = (text: string) => secrets.reduce((left, secret) => left.replaceAll(secret, '***'), text);
    const words = hide(describeError(error).message);
    super(words.slice(0, MAX_WORDS));
    this.status = $metadata.httpStatusCode;
    this.code = hide(errnoOf(error) ?? (words === 'Region is missing' ? words : (Code ?? name ?? 'Error')));
    this.attempts = $metadata.attempts ?? 1;
    this.requestId = $metadata.requestId;
  }
}

interface SdkError {
  readonly name?: string;
  readonly Code?: string;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly attempts?: number;
    readonly requestId?: string;
  };
}

/** What is known of the failed request behind an error of this store. */
export function failureOf(error: unknown): S3Failure | undefined {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof S3Failure ? cause : undefined;
}

/** Whether the server says that there is no such object; a missing bucket is something else. */
export function isMissing(failure: S3Failure | undefined): boolean {
  return failure?.status === 404 && (failure.code === 'NoSuchKey' || failure.code === 'NotFound');
}

/**
 * Turns whatever a request failed with into a `StoreError` that says what to do, or into the reason of the signal.
 *
 * @param what for the message: `put "shop/a" in s3 (bucket shop)`
 */
export function toStoreFault(
  what: string,
  error: unknown,
  secrets: readonly string[],
  signal?: AbortSignal,
): unknown {
  if (signal?.aborted) return abortReason(signal);
  if (isSessionError(error)) return error;
  const failure = new S3Failure(error, secrets);
  const { code, status } = failure;
  const isTls = TLS_TROUBLE.test(code);
  const isTold = status === undefined || isMissing(failure) || (status === 400 && code !== NO_CODE);
  const byStatus = isTold ? undefined : REFUSED_STATUS[status];
  const hint = isTls
    ? 'TLS failed: check https:// and the certificate (NODE_EXTRA_CA_CERTS names an authority of your own)'
    : (REFUSALS[code] ?? (isQuota(code) ? 'the quota is used up' : byStatus));
  const isFinal = hint !== undefined ? !isQuota(code) : isFinalStatus(failure);
  const said = failure.message.includes(code) ? failure.message : `${code}: ${failure.message}`;
  return new StoreError(`could not ${what}: ${said}${hint === undefined ? '' : ` (${hint})`}`, {
    retryable: !isFinal,
    cause: failure,
  });
}

function isQuota(code: string): boolean {
  return /Quota|StorageFull|InsufficientStorage/i.test(code);
}

/** A request that the server does not understand is not understood the next time, either. */
function isFinalStatus({ status, code }: S3Failure): boolean {
  return status === 501 || (status === 400 && !DAMAGED_ON_ITS_WAY.has(code));
}
