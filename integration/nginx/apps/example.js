// The example application as a process of its own, with one more route that makes many requests meet.

import { createApp } from 'example-express';
import { serveAsChild } from './child.js';

const example = createApp({ logError() {} });
/** Requests that wait for the others. */
let waiting = [];

await serveAsChild((req, res) => {
  if (!req.url.startsWith('/together?')) return example(req, res);
  // GET or POST /together?of=N: answers when N of them are here, each with its own URL.
  const url = new URL(req.url, 'http://app');
  waiting.push(() => res.end(`you are ${req.url}`));
  if (waiting.length < Number(url.searchParams.get('of'))) return;
  for (const answer of waiting) answer();
  waiting = [];
});
