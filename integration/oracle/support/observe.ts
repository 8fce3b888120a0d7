// Runs one behaviour in one world and returns everything that could be observed.
// Knows neither what is observed nor what may differ.
import events, { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from './answer.js';
import type { Behaviour, Stage } from './behaviour.js';
import { RawClient } from './client.js';
import { within } from './deadline.js';
import { Recorder, show } from './recorder.js';
import type { World } from './worlds.js';

/** How long, in milliseconds, callbacks may still come once every socket is closed. */
const momentMs = 300;

/** All that was seen of one behaviour in one world. */
export interface Observation {
  /** What the client received; absent when its script does not read an answer. */
  readonly answer: Answer | undefined;
  /** What the listener and the server noted, in order. */
  readonly log: readonly string[];
  /** What the client's script noted, in order. */
  readonly notes: readonly string[];
}

/** Runs `behaviour` against a fresh server of `world`, until all its objects are closed. */
export async function observe(world: World, behaviour: Behaviour): Promise<Observation> {
  const log = new Recorder();
  const notes = new Recorder();
  const closing: Promise<void>[] = [];
  const server = build(world, behaviour, log, closing);
  const clients: RawClient[] = [];
  try {
    await within(listen(server), 'listening');
    const port = portOf(server);
    const connect: Stage['connect'] = async (plan = {}) => {
      const client = await RawClient.connect(port, world.wire, plan);
      clients.push(client);
      return client;
    };
    const client = await connect(behaviour.request);
    const stage = { client, server, port, log, notes, connect };
    const answer = await (behaviour.client ?? askAndRead)(stage);
    await Promise.all(clients.map((each) => each.leave()));
    await stop(server, log);
    // All sockets are closed: what is not called or closed within a moment from here will never be.
    await within(Promise.all(closing), 'close', momentMs).catch(() => {});
    await Promise.all([log.settled(momentMs), notes.settled(momentMs)]);
    return { answer: answer ?? undefined, log: log.lines, notes: notes.lines };
  } catch (error) {
    throw new Error(`behind ${world.name}: ${show(error)}; the log so far: ${log.lines.join(' | ')}`, { cause: error });
  } finally {
    for (const client of clients) client.dispose();
    server.closeAllConnections();
  }
}

async function askAndRead({ client }: Stage): Promise<Answer> {
  client.send();
  return client.answer();
}

function build(world: World, behaviour: Behaviour, log: Recorder, closing: Promise<void>[]): Server {
  const { listener } = behaviour;
  const recorded: RequestListener | undefined =
    listener &&
    ((req, res) => {
      closing.push(closeOf(req), closeOf(res));
      return behaviour.failing === true ? listener(req, res, log) : guard(() => listener(req, res, log), log);
    });
  // Node's server takes over the setting of the moment it is made.
  const before = events.captureRejections;
  events.captureRejections = behaviour.captureRejections ?? false;
  const server = world.createServer(behaviour.options ?? {}, recorded);
  events.captureRejections = before;
  behaviour.setUp?.(server, log);
  return server;
}

// A listener that fails where its behaviour does not expect it is an observation like any other.
function guard(listener: () => unknown, log: Recorder): void {
  const failed = (error: unknown): void => log.note(`the listener failed: ${show(error)}`);
  try {
    const result = listener();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}

async function closeOf(message: IncomingMessage | ServerResponse): Promise<void> {
  await new Promise((resolve) => message.once('close', resolve));
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}

// The clients have left, so every connection must end by itself; one that does not is part of the observation.
async function stop(server: Server, log: Recorder): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  await within(closed, 'close of the server').catch((error: Error) => log.note(error.message));
}
