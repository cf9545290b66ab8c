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
  /** `GET` of the address that the login form posts to: a reload, or Enter in the address bar, requests it. */
  | 'login-page'
  | 'login'
  | 'logout'
  /** An unknown path below the API or the dashboard. */
  | 'nothing';

/** The routes of a path: one for each method that it accepts. */
export interface Match {
  readonly routes: Readonly<Partial<Record<'GET' | 'HEAD' | 'POST', RouteName>>>;
  /** The last part of the path, where it names a job or a snapshot. May be any text. */
  readonly id: string;
}

/** The paths of the handler. */
export interface HandlerPaths {
  readonly basePath: string;
  readonly apiPath: string;
  readonly dashboardPath: string;
}

const reading = (name: RouteName): Match['routes'] => ({ GET: name, HEAD: name });

/** The routes with a fixed path, without the base path. */
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
 * Finds the routes of a path; `undefined` where it does not belong to the handler. Compares the path as it was sent,
 * without decoding: a path with an encoded slash or dot is a different path.
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

/** The URL of `path` relative to the page at `page`, so that any mount path works. */
export function relativeUrl(page: string, path: string): string {
  const from = page.split('/').slice(1, -1);
  const to = path.split('/').slice(1);
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
  return [...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/');
}
