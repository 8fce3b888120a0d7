// Several addresses of one backend: which of them gets the next request. Passive health only: what fails is left alone
// for a while. Real balancing is the work of nginx or HAProxy; this is enough for a fail-over and a rolling restart.

import { LocalProtocolError } from '@scgi/core/protocol';
import type { BackendAddress } from './target.js';

/**
 * `first`: the first healthy address, the others stand by. `round-robin`: one after the other.
 * `least-connections`: the one with the fewest open connections.
 */
export type Balance = 'first' | 'round-robin' | 'least-connections';

/** How addresses are chosen. Times in milliseconds. */
export interface PeerSettings {
  readonly balance: Balance;
  /** Failures in a row within `failTimeout` after which an address is left alone; 0 for never. As nginx's max_fails. */
  readonly maxFails: number;
  /** How long it is left alone. */
  readonly failTimeout: number;
  /** How long an address that came back gets fewer requests, rising to its share; 0 for its share at once. */
  readonly slowStart: number;
}

/** More than any load, and small enough to add a place to. */
const PASSED_OVER = 2 ** 48;

/** One address and what is known of it. */
export interface Peer {
  readonly address: BackendAddress;
  connections: number;
  fails: number;
  /** When it failed last, on the clock of `performance.now()`. */
  failedAt: number;
  /** When a request was last sent there to see whether it is back. */
  probedAt: number;
  /** When it answered again after it had been left alone; 0 if it never was. */
  backSince: number;
  down: boolean;
}

/** The addresses of one backend. */
export class Peers {
  readonly #peers: readonly Peer[];
  readonly #single: Peer;
  readonly #settings: PeerSettings;
  #turn: number;

  /** @param addresses at least one */
  constructor(addresses: readonly BackendAddress[], settings: PeerSettings) {
    const [single, ...others] = addresses.map(createPeer);
    if (single === undefined) throw new LocalProtocolError('ERR_SCGI_OPTION', { problem: 'no address' });
    this.#peers = [single, ...others];
    this.#single = single;
    this.#settings = settings;
    this.#turn = 0;
  }

  /** Who gets the next request. With all of them left alone, the one that is so for longest. */
  choose(): Peer {
    return this.chooseOther(undefined) ?? this.#single;
  }

  /** Who gets a request that those in `tried` did not get. Undefined: all were tried. */
  chooseOther(tried: ReadonlySet<Peer> | undefined): Peer | undefined {
    const peers = this.#peers;
    if (peers.length === 1) return tried === undefined ? this.#single : undefined;
    const now = performance.now();
    const first = this.#settings.balance === 'first' ? 0 : this.#turn++ % peers.length;
    let chosen: Peer | undefined;
    let least = Infinity;
    let fallback: Peer | undefined;
    for (let index = 0; index < peers.length; index += 1) {
      const peer = peers[(first + index) % peers.length];
      if (peer === undefined || tried?.has(peer) === true) continue;
      if (peer.down && now - peer.probedAt < this.#settings.failTimeout) {
        if (fallback === undefined || peer.failedAt < fallback.failedAt) fallback = peer;
        continue;
      }
      const load = this.#load(peer, now, index);
      if (load < least) [chosen, least] = [peer, load];
    }
    // One request goes and looks while the others go elsewhere, as nginx has it (ngx_http_upstream_get_peer, `checked`).
    if (chosen?.down === true) chosen.probedAt = now;
    return chosen ?? fallback;
  }

  /** The least of these is chosen. `place` is where a peer stands in the order of this turn. */
  #load(peer: Peer, now: number, place: number): number {
    const { balance, slowStart } = this.#settings;
    // Back, but not up to its share yet: passed over by a chance that shrinks with time.
    const warming = peer.backSince > 0 && now - peer.backSince < slowStart;
    if (warming && Math.random() > (now - peer.backSince) / slowStart) return PASSED_OVER + place;
    return balance === 'least-connections' ? peer.connections * this.#peers.length + place : place;
  }

  /** It could not be reached, broke off or was silent. */
  failed(peer: Peer): void {
    const { maxFails, failTimeout } = this.#settings;
    const now = performance.now();
    peer.fails = now - peer.failedAt > failTimeout ? 1 : peer.fails + 1;
    peer.failedAt = now;
    peer.probedAt = now;
    if (maxFails > 0 && peer.fails >= maxFails) peer.down = true;
  }

  /** It has answered. */
  succeeded(peer: Peer): void {
    if (peer.down) peer.backSince = performance.now();
    peer.down = false;
    peer.fails = 0;
  }
}

function createPeer(address: BackendAddress): Peer {
  return { address, connections: 0, fails: 0, failedAt: 0, probedAt: 0, backSince: 0, down: false };
}
