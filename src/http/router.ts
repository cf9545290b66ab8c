export type RouteName =
  | 'status'
  | 'action'
  | 'events'
  | 'qr'
  | 'download'
  | 'job'
  | 'healthz'
  | 'readyz'
  | 'dashboard'
  /** The form is answered at this address: a reload, or Enter in the address bar, asks for it. */
  | 'login-page'
  | 'login'
  | 'logout'
  /** Below the API or the dashboard, but nothing. */
  | 'nothing';

/** What a path stands for: one route for each method that it takes. */
export interface Match {
  readonly routes: Readonly<Partial<Record<'GET' | 'HEAD' | 'POST', RouteName>>>;
  /** The last part of the path, where it names a job or a snapshot. Any text. */
  readonly id: string;
}

/** Where the handler is asked. */
export interface HandlerPaths {
  readonly basePath: string;
  readonly apiPath: string;
  readonly dashboardPath: string;
}

const reading = (name: RouteName): Match['routes'] => ({ GET: name, HEAD: name });

/** The addresses that are always the same, without the base path. */
export function fixedRoutes({
  apiPath,
  dashboardPath,
}: HandlerPaths): readonly (readonly [path: string, routes: Match['routes']])[] {
  return [
    [apiPath, { ...reading('status'), POST: 'action' }],
    [`${apiPath}/events`, { GET: 'events' }],
    [`${apiPath}/qr.svg`, reading('qr')],
    [dashboardPath, reading('dashboard')],
    [`${dashboardPath}/login`, { ...reading('login-page'), POST: 'login' }],
    [`${dashboardPath}/logout`, { POST: 'logout' }],
    ['/healthz', reading('healthz')],
    ['/readyz', reading('readyz')],
  ];
}

/**
 * Tells what a path stands for; `undefined` where it is none of ours. Compares it as it was sent, without decoding
 * anything: a path that spells a slash or a dot in another way is another path.
 */
export function matchPath(pathname: string, paths: HandlerPaths): Match | undefined {
  const { basePath, apiPath, dashboardPath } = paths;
  if (!pathname.startsWith(basePath)) return undefined;
  const path = pathname.slice(basePath.length);
  const routes = fixedRoutes(paths).find(([fixed]) => fixed === path)?.[1];
  if (routes) return { routes, id: '' };
  const named = path.startsWith(`${apiPath}/`) ? path.slice(apiPath.length + 1).split('/') : [];
  const [kind, id = ''] = named;
  if (named.length === 2 && kind === 'jobs') return { routes: reading('job'), id };
  if (named.length === 2 && kind === 'snapshots') return { routes: { GET: 'download' }, id };
  const isBelow = [apiPath, dashboardPath].some((parent) => path.startsWith(`${parent}/`));
  return isBelow ? { routes: { ...reading('nothing'), POST: 'nothing' }, id: '' } : undefined;
}

/** The address of `path` as seen from the page at `page`: relative, so that any mount works. */
export function relativeUrl(page: string, path: string): string {
  const from = page.split('/').slice(1, -1);
  const to = path.split('/').slice(1);
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
  return [...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/');
}
