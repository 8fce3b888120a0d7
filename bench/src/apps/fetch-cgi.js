import { serveCgi } from '@scgi/adapter-fetch';
import { hello } from './fetch-hello.js';

await serveCgi(hello);
