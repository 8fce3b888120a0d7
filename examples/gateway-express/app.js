// An application with pages of its own and a backend in Python below /api. Express knows nothing of the language there.
import { scgi } from '@scgi/gateway';
import express from 'express';

export function createApp(target) {
  const app = express();
  const user = (request) => request.get('authorization')?.match(/^Bearer (\w+)$/)?.[1];

  // Middleware before the backend goes for it, too.
  app.use((request, response, next) => {
    if (user(request) === 'mallory') response.status(403).send('not you\n');
    else next();
  });

  // The body goes through as it comes: a body parser belongs behind this line.
  app.use(
    '/api',
    scgi(target, {
      appState: app.locals, // of which the backend gets nothing but
      appStateKeys: ['greeting'], // as APP_GREETING
      env: (request) => ({ REMOTE_USER: user(request) ?? '' }), // no field of the client's can become this
    }),
  );
  app.locals.greeting = 'hello';

  app.get('/', (request, response) => response.send('Express is here, Python is below /api\n'));
  return app;
}
