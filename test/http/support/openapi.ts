import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

interface Content {
  readonly schema?: object;
}
interface ResponseObject {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, Content>>;
  readonly headers?: Readonly<Record<string, { readonly $ref?: string; readonly schema?: object }>>;
}
interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, ResponseObject>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
  };
  readonly 'x-events': Readonly<Record<string, object>>;
}

const ID = 'openapi.yaml';
export const openapi = parse(
  readFileSync(new URL('../../../docs/openapi.yaml', import.meta.url), 'utf8'),
) as Document;

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
/** By their schema: compiling one takes far longer than using it. */
const validators = new Map<string, ValidateFunction>();
ajv.addSchema({ ...openapi, $id: ID });

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The operation of a request and what its answer breaks of the document; nothing when it keeps it. */
export function checkAnswer(method: string, pathname: string, answer: Answer): readonly string[] {
  const path = pathOf(pathname);
  if (path === undefined)
    return [401, 404].includes(answer.status) ? checkError(answer) : [`no path for ${pathname}`];
  const operation = openapi.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) {
    return [401, 403, 405, 429].includes(answer.status)
      ? checkError(answer)
      : [`no operation ${method} ${path}`];
  }
  const named = operation.responses[answer.status];
  // `default` stands for what every operation may answer, not for what was forgotten.
  if (named === undefined && ![404, 405, 500].includes(answer.status)) {
    return [`${method} ${path} does not name ${answer.status}`];
  }
  const response = resolve(named ?? operation.responses.default ?? {});
  return [...checkHeaders(response, answer), ...checkContent(response, answer)];
}

/** The `operationId` of a request, if it is one of the document. */
export function operationOf(method: string, pathname: string): string | undefined {
  return openapi.paths[pathOf(pathname) ?? '']?.[method.toLowerCase()]?.operationId;
}

/** What the data of an event of the stream breaks. */
export function checkEvent(name: string, data: unknown): readonly string[] {
  if (!openapi['x-events'][name]) return [`no event ${name}`];
  return problems({ $ref: `${ID}#/x-events/${pointer(name)}` }, data, name);
}

function checkError(answer: Answer): readonly string[] {
  return problems({ $ref: `${ID}#/components/schemas/ErrorResponse` }, JSON.parse(answer.text), 'error');
}

function checkContent(
  { content = {} }: ResponseObject,
  { headers, text, status }: Answer,
): readonly string[] {
  const type = headers.get('content-type')?.split(';')[0];
  if (type === undefined) return Object.keys(content).length > 0 && text !== '' ? ['no content type'] : [];
  const media = content[type];
  if (!media) return [`${status} does not name ${type}`];
  if (!media.schema) return [];
  return problems(media.schema, type === 'application/json' ? JSON.parse(text) : text, `${status}`);
}

function checkHeaders({ headers: named = {} }: ResponseObject, { headers }: Answer): readonly string[] {
  return Object.entries(named).flatMap(([name, header]) => {
    const value = headers.get(name);
    if (value === null) return [`no header ${name}`];
    const { schema } = resolve(header);
    return schema ? problems(schema, value, name) : [];
  });
}

/** `#/...` in a piece of the document means the whole document. */
function problems(schema: object, value: unknown, where: string): readonly string[] {
  const absolute = JSON.stringify(schema).replaceAll('"#/', `"${ID}#/`);
  const validate = validators.get(absolute) ?? ajv.compile(JSON.parse(absolute) as object);
  validators.set(absolute, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${where}${instancePath}: ${message}`);
}

function resolve<T extends { readonly $ref?: string }>(part: T): T {
  if (!part.$ref) return part;
  const steps = part.$ref.slice(2).split('/');
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], openapi) as T;
}

function pathOf(pathname: string): string | undefined {
  return Object.keys(openapi.paths).find((template) => templatePattern(template).test(pathname));
}

function templatePattern(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/, '[^/]+')}$`);
}

function pointer(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}
