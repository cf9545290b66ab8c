import { applyTheme, initialTheme } from './preferences.js';

// Runs in the head, so that the first paint already has the right colours.
applyTheme(initialTheme());
