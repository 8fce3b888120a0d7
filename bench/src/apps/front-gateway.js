import { createHttpFront } from '@scgi/gateway';
import { listen } from './listen.js';

listen(createHttpFront({ to: process.env.BACKEND, onError: (error) => console.error(error) }));
