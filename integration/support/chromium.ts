// Starts the machine's own Chromium, without a window and without any talk to the outside, for one test file.

import { chromium, type Browser } from 'playwright-core';
import { requireFrontEnd } from './front-ends.js';

/** What keeps a browser from calling home, and lets it run as root in a container. */
const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts Chromium with a fresh profile, which goes away when the browser is closed.
 * The caller closes it: `await browser.close()`.
 */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: requireFrontEnd('chromium'), args: flags, timeout: 30_000 });
}
