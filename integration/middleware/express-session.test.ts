// express-session, as it is, over SCGI: the cookie, the session behind it, and Secure without `trust proxy`, because
// the front end says out of band whether the client came over HTTPS.

import { rawRequest } from '@scgi/testing';
import express from 'express';
import session from 'express-session';
import { describe, expect, test } from 'vitest';
import { serveBothWays, serveFront, type Answer } from './support/both-ways.js';

declare module 'express-session' {
  interface SessionData {
    views: number;
  }
}

function createApp(options: Partial<session.SessionOptions> = {}): express.Express {
  const app = express();
  app.use(session({ name: 'sid', secret: 'keyboard cat', resave: false, saveUninitialized: false, ...options }));
  app.get('/count', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.json({ views: req.session.views });
  });
  app.get('/look', (req, res) => void res.json({ views: req.session.views ?? 0 }));
  app.get('/streamed', (req, res) => {
    req.session.views = 41;
    res.write('one ');
    res.end('two');
  });
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error: unknown) => {
      if (error) return next(error);
      req.session.views = 100;
      res.redirect('/look');
    });
  });
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error: unknown) => (error ? next(error) : void res.status(204).end()));
  });
  return app;
}

const cookieOf = (answer: Answer): string => answer.cookies[0]?.split(';')[0] ?? '';

describe('express-session', () => {
  test('sets a cookie where there is something to keep', async () => {
    const app = await serveBothWays(() => createApp());
    const answer = await app.same((agent) => agent.get('/count'), ['set-cookie']);
    expect(answer.cookies).toEqual([expect.stringMatching(/^sid=s%3A[^;]+; Path=\/; HttpOnly$/)]);
    expect((await app.same((agent) => agent.get('/look'))).cookies).toEqual([]);
  });

  test('keeps the session for who brings the cookie back, and for nobody else', async () => {
    const { scgi } = await serveBothWays(() => createApp());
    const cookie = cookieOf(await scgi((agent) => agent.get('/count')));
    const again = await scgi((agent) => agent.get('/count').set('Cookie', `other=1; ${cookie}`));
    expect(again.text).toBe('{"views":2}');
    expect(again.cookies).toEqual([]);
    expect((await scgi((agent) => agent.get('/look'))).text).toBe('{"views":0}');
    const forged = await scgi((agent) => agent.get('/look').set('Cookie', `${cookie}x`));
    expect(forged.text).toBe('{"views":0}');
  });

  test('saves before the end of a streamed answer', async () => {
    const { scgi } = await serveBothWays(() => createApp());
    const streamed = await scgi((agent) => agent.get('/streamed'));
    expect(streamed.text).toBe('one two');
    const look = await scgi((agent) => agent.get('/look').set('Cookie', cookieOf(streamed)));
    expect(look.text).toBe('{"views":41}');
  });

  test('gives a new id at login, and the old one counts no more', async () => {
    const { scgi } = await serveBothWays(() => createApp());
    const before = cookieOf(await scgi((agent) => agent.get('/count')));
    const login = await scgi((agent) => agent.post('/login').set('Cookie', before));
    expect(login.status).toBe(302);
    expect(cookieOf(login)).not.toBe(before);
    const look = (cookie: string): Promise<Answer> => scgi((agent) => agent.get('/look').set('Cookie', cookie));
    expect((await look(cookieOf(login))).text).toBe('{"views":100}');
    expect((await look(before)).text).toBe('{"views":0}');
  });

  test('forgets a destroyed session', async () => {
    const { scgi } = await serveBothWays(() => createApp());
    const cookie = cookieOf(await scgi((agent) => agent.get('/count')));
    expect((await scgi((agent) => agent.post('/logout').set('Cookie', cookie))).status).toBe(204);
    expect((await scgi((agent) => agent.get('/look').set('Cookie', cookie))).text).toBe('{"views":0}');
  });

  test('rolls the expiry on with every answer if it is told to', async () => {
    const { scgi } = await serveBothWays(() => createApp({ rolling: true, cookie: { maxAge: 60_000 } }));
    const first = await scgi((agent) => agent.get('/count'));
    const next = await scgi((agent) => agent.get('/look').set('Cookie', cookieOf(first)));
    expect(next.cookies).toEqual([expect.stringMatching(/; Expires=[^;]+ GMT; HttpOnly$/)]);
  });
});

describe('a secure session cookie', () => {
  async function cookiesFor(cookie: session.CookieOptions, overrides: Record<string, string>): Promise<string[]> {
    const front = await serveFront(createApp({ cookie }));
    const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/count', SERVER_PROTOCOL: 'HTTP/1.1', ...overrides };
    const { fields } = await rawRequest(front.target, { variables });
    return fields.flatMap((name, index) => (/^set-cookie$/i.test(name) ? [fields[index + 1] ?? ''] : []));
  }

  test('is set when the front end says HTTPS, without trust proxy', async () => {
    expect(await cookiesFor({ secure: true }, { HTTPS: 'on' })).toEqual([expect.stringMatching(/; Secure$/)]);
  });

  test('is not set over plain HTTP, whatever the client claims', async () => {
    expect(await cookiesFor({ secure: true }, { HTTP_X_FORWARDED_PROTO: 'https' })).toEqual([]);
  });

  test('with secure: auto follows the scheme', async () => {
    expect(await cookiesFor({ secure: 'auto' }, { HTTPS: 'on' })).toEqual([expect.stringMatching(/; Secure$/)]);
    expect(await cookiesFor({ secure: 'auto' }, {})).toEqual([expect.not.stringContaining('Secure')]);
  });
});
