// An Express application that shows all that it gets, for round trips through our own server.

import { EventEmitter } from 'node:events';
import express, { type Express, type Router } from 'express';

/** What happens inside: 'left' when the client of `/endless` has gone. */
export const happenings: EventEmitter = new EventEmitter();

/** The same at `/` and below `/mount`. */
export function createEchoApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use('/mount', createRoutes());
  app.use(createRoutes());
  return app;
}

function createRoutes(): Router {
  const routes = express.Router();
  routes.all('/facts/*rest', (request, response) => {
    const { method, url, ip, secure, headers, rawHeaders, query } = request;
    const fields: (readonly [string, string])[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index]?.toLowerCase() ?? '';
      if (name.startsWith('x-')) fields.push([name, rawHeaders[index + 1] ?? '']);
    }
    response.json({ method, url, ip, secure, query, cookie: headers.cookie, fields });
  });
  routes.all('/echo', (request, response) => {
    response.type('application/octet-stream');
    request.pipe(response);
  });
  routes.get('/fields', (_request, response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/; HttpOnly', 'b=two words; Secure', 'c=']);
    response.setHeader('X-Latin1', 'gr\u00fcn');
    response.setHeader('X-Empty', '');
    response.setHeader('X-List', ['one', 'two']);
    response.status(299).send('fields');
  });
  routes.get('/endless', (_request, response) => {
    const timer = setInterval(() => response.write('tick\n'), 5);
    response.on('close', () => {
      clearInterval(timer);
      happenings.emit('left');
    });
  });
  routes.post('/early', (_request, response) => void response.status(413).send('too much'));
  routes.get('/throws', () => {
    throw new Error('a secret of the application');
  });
  return routes;
}
