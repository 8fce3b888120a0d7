// Runs one kind of application: over HTTP, and over every way that this machine has.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../../scripts/support/executables.js';
import type { Behaviour } from '../behaviours/behaviour.js';
import type { Kind, Served } from '../kinds/kind.js';
import { addressOf, ways, type OpenWay, type Way, type WayName } from '../ways/index.js';
import { Client, type Observation } from './client.js';
import { namesOf } from './names.js';
import { Stage } from './stage.js';

/** Runs out only where something is wrong: all ways are taken at once, and the machine may have other work. */
const longMs = 25_000;
const briefMs = 1_000;

/** A kind that is served everywhere. */
export interface Run {
  observeOracle(behaviour: Behaviour): Promise<Observation>;
  /** @param differs whether a named difference applies to a way */
  observeWays(
    behaviour: Behaviour,
    differs: (way: WayName) => boolean,
  ): Promise<Readonly<Partial<Record<WayName, Observation>>>>;
  /** Front ends first, then the applications, which wait for what is open. */
  close(): Promise<void>;
}

/** The ways that can be had: all, but for programs that are not installed. */
const openable = namesOf(ways).filter((name) => {
  const { program }: Way = ways[name];
  return program === undefined || findProgram(program) !== undefined;
});

export async function startRun(kind: Kind): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-compatibility-'));
  const stage = new Stage(folder);
  const oracle = await kind.serveHttp(stage);
  const app = await kind.serveScgi(stage, ['127.0.0.1:0', `unix:${folder}/app.sock?mode=0666`]);
  const opened = await Promise.all(openable.map(async (name) => [name, await openWay(ways[name], app)] as const));
  const http = new Client({ wire: 'http', address: addressOf(oracle.addresses[0] ?? '') }, stage, longMs);
  return {
    observeOracle: (behaviour) => behaviour.observe(http),
    async observeWays(behaviour, differs) {
      const seen = opened.map(
        async ([name, { origin }]) =>
          [name, await behaviour.observe(new Client(origin, stage, differs(name) ? briefMs : longMs))] as const,
      );
      return Object.fromEntries(await Promise.all(seen));
    },
    async close() {
      await Promise.all(opened.map(([, way]) => way.close()));
      await Promise.all([oracle.close(), app.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function openWay({ transport, open }: Way, { addresses }: Served): Promise<OpenWay> {
  const address = addresses.find((one) => one.startsWith('unix:') === (transport === 'Unix'));
  if (address === undefined) throw new Error(`the application does not listen on ${transport}`);
  return open(address.replace(/\?.*/, ''));
}
