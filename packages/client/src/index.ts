export type { BackendOptions } from './exchange/index.js';
