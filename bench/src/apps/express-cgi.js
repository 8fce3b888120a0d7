import { serveCgi } from '@scgi/adapter-express';
import { app } from './express-hello.js';

await serveCgi(app);
