import { defineConfig } from 'tsup';
import { declarations } from './tsup.config.js';

export default defineConfig(declarations);
