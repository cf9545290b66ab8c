/** This library's version. A test compares it with package.json, which can't be read from inside a bundle. */
export const LIBRARY_VERSION = '0.1.0';
