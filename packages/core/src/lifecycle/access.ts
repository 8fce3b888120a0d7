// Who may talk to us. An SCGI client states who the user is (REMOTE_USER, REMOTE_ADDR, HTTPS), so everybody who can
// connect can forge it: TCP beyond loopback is closed unless allowFrom names the web servers.
// Knows addresses only; the callers close connections and servers.
import { BlockList, isIP, isIPv4 } from 'node:net';
import { LocalProtocolError } from '../protocol/errors.js';

/** How a peer reached us. Take it from the listening server, never from the connection: see PeerFilter. */
export type Transport = 'tcp' | 'unix';

/**
 * True if this peer may be served. Over TCP an unknown address (undefined) is refused: the kernel forgets the address of
 * a peer that sent its request and then reset the connection, while the request can still be read. Taking "no address"
 * for "Unix socket" would let such a peer past the list.
 */
export type PeerFilter = (remoteAddress: string | undefined, transport: Transport) => boolean;

/** What `assertBindAllowed` must know of an endpoint: `host` is absent for Unix sockets. */
export interface BoundAddress {
  readonly address: string;
  readonly host?: string | undefined;
}

/**
 * True for 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104. Undefined counts as local: it is what a *listening* Unix socket has
 * for a host. Do not ask about the address of a connection: use a PeerFilter.
 */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return true;
  return loopback().has(address);
}

/**
 * A filter for peers. Unix sockets are always allowed: their file mode guards them.
 * @param allowFrom IPv4 or IPv6 addresses or CIDR blocks. The list is exact: once it is given, loopback must be named in
 *   it to be allowed, as with gunicorn's lists and nginx's `allow`. Default: loopback.
 * @throws LocalProtocolError ERR_SCGI_OPTION: an entry is not an address or a CIDR block.
 */
export function createPeerFilter(allowFrom: readonly string[] | undefined): PeerFilter {
  const named = allowFrom === undefined ? undefined : new AddressList(allowFrom);
  return (remoteAddress, transport) =>
    transport === 'unix' || (remoteAddress !== undefined && (named ?? loopback()).has(remoteAddress));
}

/**
 * Refuses a TCP address beyond loopback (0.0.0.0 and :: included) as long as nobody is named in `allowFrom`. To be asked
 * with the address that is really bound: a host name or an inherited socket may be anything.
 * @throws LocalProtocolError ERR_SCGI_ALLOW_FROM
 */
export function assertBindAllowed(bound: BoundAddress, allowFrom: readonly string[] | undefined): void {
  if (isLoopback(bound.host)) return;
  if (allowFrom !== undefined && allowFrom.length > 0) return;
  throw new LocalProtocolError('ERR_SCGI_ALLOW_FROM', {
    bind: bound.address,
    remedy:
      'set allowFrom to the addresses of your web servers, e.g. 10.0.0.5 or 10.0.0.0/24; or bind to 127.0.0.1 or a Unix socket',
  });
}

/** Addresses and blocks, in which an IPv4 address and its IPv4-mapped IPv6 form are the same. */
class AddressList {
  readonly #list = new BlockList();

  constructor(entries: readonly string[]) {
    if (!Array.isArray(entries)) throw badEntry(String(entries), 'allowFrom is not a list');
    for (const entry of entries) this.#add(entry);
  }

  has(address: string): boolean {
    const plain = withoutZone(address);
    const family = isIP(plain);
    // A BlockList compares a mapped address with its IPv4 rules by itself.
    return family !== 0 && this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  #add(entry: string): void {
    const [address = '', prefix, ...rest] = String(entry).split('/');
    const family = isIP(address);
    if (family === 0 || rest.length > 0) throw badEntry(String(entry), 'not an address or a CIDR block');
    const bits = family === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (!(length <= bits)) throw badEntry(String(entry), `the prefix length is not a number from 0 to ${bits}`);
    this.#list.addSubnet(withoutZone(address), length, family === 4 ? 'ipv4' : 'ipv6');
    // The other way round is ours to do: a rule for mapped addresses means the IPv4 peers.
    const mapped = family === 6 && length >= 96 ? mappedIPv4(withoutZone(address)) : undefined;
    if (mapped !== undefined) this.#list.addSubnet(mapped, length - 96, 'ipv4');
  }
}

let loopbackList: AddressList | undefined;

/** Made when it is asked for: the first look at an address costs Node.js 20 some milliseconds, and a CGI program has none. */
function loopback(): AddressList {
  loopbackList ??= new AddressList(['127.0.0.0/8', '::1']);
  return loopbackList;
}

// A link-local peer shows as fe80::1%eth0; BlockList knows no zones.
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

function mappedIPv4(address: string): string | undefined {
  const tail = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : '';
  return isIPv4(tail) ? tail : undefined;
}

function badEntry(entry: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', {
    option: 'allowFrom',
    entry,
    problem,
    remedy:
      'write an IP address such as 10.0.0.5 or fd00::5, or a block such as 10.0.0.0/24; host names are not looked up',
  });
}
