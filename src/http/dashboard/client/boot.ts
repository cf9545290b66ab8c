import { applyTheme, initialTheme } from './preferences.js';

// Runs in the head: the first paint has the right colours already.
applyTheme(initialTheme());
