// Every adapter's application as a CGI program of every web server, and the same file, unchanged, as an SCGI server.

import { describe, expect } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { testsEveryCombination } from '../support/combinations.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { appNames, describeWebServers, test, webServers, type FollowedRequest } from './support/stage.js';

const apps = appNames.filter((name) => name !== 'core');
const appsBehind = { 'Apache (mod_cgid)': apps, 'Apache (mod_cgi)': ['express'], lighttpd: ['fetch'] } as const;
const headers = { 'User-Agent': 'a test' };

interface Place {
  readonly origin: string;
  /** Where the application is. */
  readonly mount: string;
}

const seen = (path: string) => ({ url: path, originalUrl: path, ip: '127.0.0.1', protocol: 'http', user: 'a test' });

async function expectFacts({ origin, mount }: Place): Promise<void> {
  const path = `${mount}/facts?q=%C3%A9`;
  const { status, text } = await httpRequest({ origin, path, headers });
  expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 200, ...seen(path) });
}

async function expectShout({ origin, mount }: Place): Promise<void> {
  const body = 'as loud as it can be '.repeat(20_000);
  const { text } = await httpRequest({
    origin,
    path: `${mount}/shout`,
    body,
    headers: { 'Content-Type': 'text/plain' },
  });
  expect(text).toBe(body.toUpperCase());
}

async function expectEvents({ origin, mount }: Place, request: FollowedRequest): Promise<void> {
  const { response, abort } = await openRequest({ origin, path: `${mount}/events`, headers: request.headers });
  const events = new EventStream(response);
  expect((await events.next()).data).toBe('1');
  request.open('1');
  expect((await events.next()).data).toBe('2');
  abort();
}

describeWebServers(
  'as a CGI program of',
  (scene, server) => {
    describe.each(testsEveryCombination ? apps : appsBehind[server])('an application of adapter-%s', (name) => {
      const place = (): Place => ({ origin: scene().origin, mount: `/cgi-bin/${name}.cgi` });

      test('sees the request as it was sent', () => expectFacts(place()));

      test('reads bodies', () => expectShout(place()));

      test('sends events one by one', () => expectEvents(place(), scene().programs.follow()));

      test('finishes what it does behind the answer, and ends with code 0', async () => {
        const { origin, mount } = place();
        const request = scene().programs.follow();
        expect((await httpRequest({ origin, path: `${mount}/work`, headers: request.headers })).text).toBe('done');
        await request.noted('exit 0');
        expect(request.notes()).toEqual(['work', 'exit 0']);
      });
    });
  },
  {},
  webServers,
);

describeWith('nginx', 'as an SCGI server behind nginx', () => {
  describe.each(apps)('the same application of adapter-%s', (name) => {
    test('sees, reads and sends the same, at the root and below a prefix', async ({ stage }) => {
      const programs = stage.programs();
      const to = await stage.scgiServer(name, programs);
      const locations = [
        { path: '/', to },
        { path: '/below', to, params: { SCRIPT_NAME: '/below' } },
      ];
      const { origin } = await stage.nginx({ locations });
      for (const mount of ['/below', '']) {
        await expectFacts({ origin, mount });
        await expectShout({ origin, mount });
      }
    });
  });
});
