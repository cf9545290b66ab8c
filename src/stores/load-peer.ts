import { ConfigurationError, errnoOf } from '../errors.js';

/**
 * Loads an optional peer dependency when it is first needed.
 *
 * @param name the package's name, for the message
 * @param store the class that needs it, for the message
 * @param load imports the name that it gets, which no bundler may follow: most bots have not installed the package
 * @throws ConfigurationError that says what to install; any other fault of the package is thrown as it is
 */
export async function loadPeer<Module>(
  name: string,
  store: string,
  load: (name: string) => Promise<Module>,
): Promise<Module> {
  try {
    return await load(name);
  } catch (cause) {
    if (!isMissing(name, cause)) throw cause;
    throw new ConfigurationError(
      `${store} needs the package ${name}, which is not installed: npm install ${name}`,
      {
        cause,
      },
    );
  }
}

/** Whether the package itself is missing, and not something that it needs. */
function isMissing(name: string, cause: unknown): boolean {
  const code = errnoOf(cause);
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return false;
  return cause instanceof Error && new RegExp(`['"]${name}['"/]`).test(cause.message);
}
