import { serveCgi } from '@scgi/core';
import { hello } from './hello.js';

await serveCgi(hello);
