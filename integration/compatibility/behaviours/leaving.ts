// Clients that leave before they have their answer: the application learns of it within a second.

import type { Client, Observation } from '../support/client.js';
import type { Behaviour } from './behaviour.js';

const timeMs = 1_000;

/**
 * An end right behind the request may be a half-close. A round trip later it is a good-bye, though client and server
 * share this process and its event loop.
 */
async function passHalfClose(client: Client): Promise<void> {
  await client.ask({ target: '/hello' });
}

/** Leaves, sees whether the application learns of it, and lets it go on if it does not. */
async function leave(client: Client, id: string, exchange: { leave(): void }): Promise<Observation> {
  exchange.leave();
  const learned = await client.stage.happens(id, 'left', timeMs);
  client.stage.note(id, 'open');
  return { learned };
}

export const leaving = {
  'tells the application that the client left before the answer': {
    observe: async (client) => {
      const id = client.stage.nextId();
      const exchange = client.start({ target: `/wait?id=${id}` });
      await client.stage.happens(id, 'arrived', 10_000);
      await passHalfClose(client);
      return leave(client, id, exchange);
    },
    expected: { learned: true },
  },
  'tells the application that the client left in the answer': {
    observe: async (client) => {
      const id = client.stage.nextId();
      const exchange = client.start({ target: `/endless?id=${id}` });
      await client.stage.happens(id, 'arrived', 10_000);
      await exchange.sees(({ bodyLength }) => bodyLength > 0, 1_000);
      return leave(client, id, exchange);
    },
    expected: { learned: true },
  },
  'tells the application that the client left in its upload': {
    observe: async (client) => {
      const id = client.stage.nextId();
      const target = `/upload?id=${id}`;
      const fields = [['Content-Type', 'application/octet-stream'] as const];
      const exchange = client.start({ method: 'POST', target, fields, length: 100_000, body: 'x'.repeat(50_000) });
      // A front end that collects the body first will not have asked the application.
      const arrived = await client.stage.happens(id, 'arrived', client.patienceMs);
      exchange.leave();
      return { arrived, cutShort: arrived && (await client.stage.happens(id, 'cut short', timeMs)) };
    },
    expected: { arrived: true, cutShort: true },
  },
} satisfies Record<string, Behaviour>;
