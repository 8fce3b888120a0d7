// Files as answers, for whatever sends them: re-exports only.

export { entryBelow } from './below-folder.js';
export type { FolderEntry } from './below-folder.js';
