import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeOptions {
  /** What it does with conditions: `honour` as AWS, `ignore` without a word, `refuse` with 501. Default `honour`. */
  readonly conditions?: 'honour' | 'ignore' | 'refuse';
  /** Whether it compares `Content-MD5`. Default true. */
  readonly digests?: boolean;
  /** Whether it knows the deletion of many objects. Default true. */
  readonly deleteMany?: boolean;
  /** Objects of a page of a listing. Default 1,000. */
  readonly pageSize?: number;
}

/** A request as the fake has seen it. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** What a test lets a request meet instead of its answer; `lost` is done, and not answered. */
export type Mishap = { readonly status: number; readonly code: string } | 'lost' | 'reset';

interface Value {
  readonly body: Buffer;
  readonly etag: string;
  readonly modified: Date;
  readonly metadata: Record<string, string>;
}

const ERRORS: Readonly<Record<string, number>> = {
  NoSuchKey: 404,
  NoSuchBucket: 404,
  PreconditionFailed: 412,
  BadDigest: 400,
  InvalidRange: 416,
  NotImplemented: 501,
};

/**
 * A service that speaks as much of S3 as the store asks, in this process. It can be told to behave as other services do:
 * what it proves is what the store makes of their answers, not what a real service answers.
 */
export class FakeS3 {
  readonly requests: FakeRequest[] = [];
  readonly objects = new Map<string, Value>();
  /** Called before each request; what it returns happens to the request. */
  mishap: (request: FakeRequest) => Mishap | undefined = () => undefined;
  /** Changes the body of an answer, as a faulty service does. */
  distort: (xml: string) => string = (xml) => xml;
  #isHanging = false;
  readonly #options: FakeOptions;
  readonly #server: Server;

  private constructor(options: FakeOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(options: FakeOptions = {}): Promise<FakeS3> {
    const fake = new FakeS3(options);
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on nothing is answered. */
  hang(): void {
    this.#isHanging = true;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const { method = '', headers } = request;
    const seen = { method, path: `${decodeURIComponent(url.pathname)}${url.search}`, headers };
    this.requests.push(seen);
    const body = Buffer.concat(await request.toArray().catch(() => []));
    const [, bucket, key] = /^\/([^/]*)\/?(.*)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (this.#isHanging || !request.complete) return;
    const mishap = this.mishap(seen);
    if (mishap === 'reset') return void request.socket.resetAndDestroy();
    try {
      if (typeof mishap === 'object') throw new Refusal(mishap.code, mishap.status);
      if (bucket !== 'bucket') throw new Refusal('NoSuchBucket');
      const answer = this.#answer(method, key ?? '', url.searchParams, headers, body);
      if (mishap === 'lost') return void request.socket.resetAndDestroy();
      response.writeHead(answer.status, answer.headers).end(method === 'HEAD' ? undefined : answer.body);
    } catch (error) {
      const { code, status } = error instanceof Refusal ? error : new Refusal('InternalError', 500);
      const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} it is</Message></Error>`;
      response
        .writeHead(status, { 'content-type': 'application/xml' })
        .end(method === 'HEAD' ? undefined : xml);
    }
  }

  #answer(method: string, key: string, query: URLSearchParams, headers: Headers, body: Buffer): Answer {
    if (method === 'GET' && key === '') return this.#list(query);
    if (method === 'POST' && query.has('delete')) return this.#deleteMany(String(body), headers);
    if (method === 'PUT') return this.#put(key, headers, body);
    const value = this.objects.get(key);
    if (method === 'DELETE') {
      this.#check(headers, value);
      this.objects.delete(key);
      return { status: 204, headers: {} };
    }
    if (value === undefined) throw new Refusal('NoSuchKey');
    return this.#read(value, headers);
  }

  #put(key: string, headers: Headers, body: Buffer): Answer {
    const { digests = true } = this.#options;
    const md5 = createHash('md5').update(body).digest();
    const announced = headers['content-md5'];
    if (digests && announced !== undefined && announced !== md5.toString('base64'))
      throw new Refusal('BadDigest');
    const before = this.objects.get(key);
    this.#check(headers, before);
    const etag = `"${md5.toString('hex')}"`;
    const metadata = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        name.startsWith('x-amz-meta-') ? [[name, String(value)]] : [],
      ),
    );
    this.objects.set(key, { body, etag, modified: new Date(), metadata });
    return { status: 200, headers: { etag } };
  }

  #check(headers: Headers, value: Value | undefined): void {
    const { conditions = 'honour' } = this.#options;
    const { 'if-none-match': absent, 'if-match': match } = headers;
    if (conditions === 'ignore' || (absent === undefined && match === undefined)) return;
    if (conditions === 'refuse') throw new Refusal('NotImplemented');
    if (absent !== undefined && value !== undefined) throw new Refusal('PreconditionFailed');
    if (match === undefined) return;
    if (value === undefined) throw new Refusal('NoSuchKey');
    if (match !== value.etag) throw new Refusal('PreconditionFailed');
  }

  #read({ body, etag, modified, metadata }: Value, headers: Headers): Answer {
    const told = { etag, 'last-modified': modified.toUTCString(), ...metadata };
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (from === undefined || to === undefined) {
      return { status: 200, headers: { ...told, 'content-length': `${body.length}` }, body };
    }
    if (Number(from) >= body.length) throw new Refusal('InvalidRange');
    const part = body.subarray(Number(from), Number(to) + 1);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`;
    return {
      status: 206,
      headers: { ...told, 'content-range': range, 'content-length': `${part.length}` },
      body: part,
    };
  }

  #list(query: URLSearchParams): Answer {
    const { pageSize = 1_000 } = this.#options;
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, pageSize);
    const isTruncated = keys.length > page.length;
    const contents = page.map((key) => {
      const { body, etag, modified } = this.objects.get(key) as Value;
      return `<Contents><Key>${escapeXml(key)}</Key><Size>${body.length}</Size><ETag>${escapeXml(etag)}</ETag><LastModified>${modified.toISOString()}</LastModified></Contents>`;
    });
    const next = isTruncated
      ? `<NextContinuationToken>${escapeXml(page.at(-1) ?? '')}</NextContinuationToken>`
      : '';
    const xml = `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: this.distort(xml) };
  }

  #deleteMany(xml: string, headers: Headers): Answer {
    if (this.#options.deleteMany === false) throw new Refusal('NotImplemented');
    if (headers['content-md5'] !== createHash('md5').update(xml).digest('base64'))
      throw new Refusal('BadDigest');
    for (const [, key = ''] of xml.matchAll(/<Key>([^<]*)<\/Key>/g)) this.objects.delete(unescapeXml(key));
    const answer = '<?xml version="1.0"?><DeleteResult></DeleteResult>';
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: this.distort(answer) };
  }
}

type Headers = IncomingMessage['headers'];

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Buffer | string;
}

class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, status = ERRORS[code] ?? 400) {
    super(code);
    this.code = code;
    this.status = status;
  }
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(#(\d+)|#x([\da-f]+)|\w+);/gi, (_, name: string, decimal?: string, hex?: string) =>
    decimal || hex
      ? String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16))
      : (named[name] ?? ''),
  );
}
