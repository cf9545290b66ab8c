/** This library's version; a test compares it with package.json, which bundles can't read. */
export const LIBRARY_VERSION = '0.1.0';
