import { setTimeout } from 'node:timers/promises';
import { serveCgi } from '@scgi/adapter-fetch';
import { gate, note } from './notes.js';

const routes = {
  '/facts': (request, { env, remoteAddress }) => {
    const { pathname, search, protocol } = new URL(request.url);
    const url = `${env.SCRIPT_NAME ?? ''}${pathname}${search}`;
    const user = env.HTTP_USER_AGENT;
    return Response.json({ url, originalUrl: url, ip: remoteAddress, protocol: protocol.slice(0, -1), user });
  },
  '/shout': async (request) => new Response((await request.text()).toUpperCase()),
  '/events': () => {
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(encoder.encode('data: 1\n\n'));
        await gate('1');
        controller.enqueue(encoder.encode('data: 2\n\n'));
        controller.close();
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  },
  '/work': (_request, { waitUntil }) => {
    waitUntil(setTimeout(50).then(() => note('work')));
    return new Response('done');
  },
};

await serveCgi((request, context) => routes[new URL(request.url).pathname](request, context));
