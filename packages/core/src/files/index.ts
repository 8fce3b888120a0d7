// Files as answers, for whatever sends them: re-exports only.

export { entryBelow } from './below-folder.js';
export type { FolderEntry } from './below-folder.js';
export { bodyOf, emptyBody, planFile } from './plan-file.js';
export type { FileAnswer, SendfileOptions } from './plan-file.js';
