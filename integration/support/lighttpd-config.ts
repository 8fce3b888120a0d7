// Writes lighttpd configurations: typed options in, text out. Starts nothing.

import type { TlsFiles } from './nginx-config.js';
import type { ServerPlace } from './server-process.js';

/** A value in lighttpd's notation: text is quoted, a list becomes `( "a", "b" )`. */
export type LighttpdValue = string | number | readonly string[];

/** One key of `scgi.server` and the backend behind it. */
export interface LighttpdLocation {
  /** `/` or a prefix such as `/app`, without a slash at its end. Default `/`. */
  readonly path?: string;
  /** The backend, or several among which lighttpd balances: `127.0.0.1:4000`, `[::1]:4000`, `unix:/run/app.sock`. */
  readonly to: string | readonly string[];
  /** More options of each backend, or others than `check-local` off and `fix-root-scriptname` on: `{ 'disable-time': 0 }`. */
  readonly backendOptions?: Readonly<Record<string, LighttpdValue>>;
}

/** A folder whose files lighttpd runs as CGI programs. */
export interface LighttpdCgiFolder {
  /** Absolute path. */
  readonly folder: string;
  /** The prefix, with a slash at its end. Default `/cgi-bin/`. */
  readonly path?: string;
  /** Run only files with these extensions, `.cgi`, and send the others. Default: every file is a program. */
  readonly extensions?: readonly string[];
  /** More lines for requests with this prefix: `cgi.local-redir = "enable"`. */
  readonly directives?: readonly string[];
}

/** 0: hold back until whole. 1: pass on as it comes. 2: that, with a bounded buffer. */
export type LighttpdStreaming = 0 | 1 | 2;

/** A whole server: one location given directly, or several. */
export interface LighttpdOptions extends Partial<LighttpdLocation> {
  /** None at all: then `directives` say what mod_scgi does, and load it. */
  readonly locations?: readonly LighttpdLocation[];
  /** Folders of CGI programs, beside the locations or in their place. What they print to stderr is shown with the error log. */
  readonly cgi?: readonly LighttpdCgiFolder[];
  /** `server.stream-response-body`. Default 1; lighttpd's own is 0. */
  readonly streamResponse?: LighttpdStreaming;
  /** `server.stream-request-body`. Default 0, as in lighttpd. */
  readonly streamRequest?: LighttpdStreaming;
  /** More lines, also `server.modules += ( "mod_rewrite" )`. */
  readonly directives?: readonly string[];
  /** Serve the same over HTTPS too, on a port of its own, with this certificate and key. Needs mod_openssl. */
  readonly tls?: TlsFiles;
}

/** The configuration of one server that keeps all its files in its own folder. */
export function formatLighttpdConfig(options: LighttpdOptions, place: ServerPlace): string {
  const { folder, port } = place;
  const cgi = options.cgi ?? [];
  const locations = options.locations ?? (cgi.length > 0 && options.to === undefined ? [] : [toLocation(options)]);
  return [
    ...(locations.length === 0 ? [] : ['server.modules = ( "mod_scgi" )']),
    'server.bind = "127.0.0.1"',
    `server.port = ${port}`,
    'server.listen-backlog = 1024',
    `server.document-root = "${folder}"`,
    `server.upload-dirs = ( "${folder}" )`,
    `server.errorlog = "${folder}/error.log"`,
    `server.pid-file = "${folder}/lighttpd.pid"`,
    ...tlsLines(options.tls, place),
    ...(locations.length + cgi.length === 0 ? [] : streamLines(options)),
    ...(locations.length === 0 ? [] : [`scgi.server = (\n${locations.map(formatLocation).join(',\n')}\n)`]),
    ...(cgi.length === 0 ? [] : cgiLines(cgi, place, locations.length > 0)),
    ...(options.directives ?? []),
    '',
  ].join('\n');
}

function streamLines({ streamResponse = 1, streamRequest = 0 }: LighttpdOptions): string[] {
  return [`server.stream-response-body = ${streamResponse}`, `server.stream-request-body = ${streamRequest}`];
}

function cgiLines(folders: readonly LighttpdCgiFolder[], { folder }: ServerPlace, hasBackends: boolean): string[] {
  return [
    'server.modules += ( "mod_alias", "mod_cgi" )',
    // What programs print to stderr. In the error log itself lighttpd would lose it.
    `server.breakagelog = "${folder}/programs.log"`,
    `alias.url = ( ${folders.map((cgi) => `"${pathOf(cgi)}" => "${cgi.folder}/"`).join(', ')} )`,
    ...folders.flatMap((cgi) => [
      `$HTTP["url"] =~ "^${pathOf(cgi).replaceAll('.', '[.]')}" {`,
      `  cgi.assign = ( ${(cgi.extensions ?? ['']).map((extension) => `"${extension}" => ""`).join(', ')} )`,
      // mod_scgi looks first, whatever the order of the lines.
      ...(hasBackends ? ['  scgi.server = ( )'] : []),
      ...(cgi.directives ?? []),
      '}',
    ]),
  ];
}

function pathOf({ path = '/cgi-bin/' }: LighttpdCgiFolder): string {
  return path;
}

function tlsLines(files: TlsFiles | undefined, { tlsPort }: ServerPlace): string[] {
  if (files === undefined) return [];
  return [
    'server.modules += ( "mod_openssl" )',
    `$SERVER["socket"] == "127.0.0.1:${tlsPort}" {`,
    '  ssl.engine = "enable"',
    `  ssl.pemfile = "${files.certificate}"`,
    `  ssl.privkey = "${files.key}"`,
    '}',
  ];
}

function toLocation({ path, to, backendOptions }: LighttpdOptions): LighttpdLocation {
  if (to === undefined) throw new TypeError('lighttpd needs a backend: give `to`, `locations` or `cgi`');
  return { to, ...(path === undefined ? {} : { path }), ...(backendOptions === undefined ? {} : { backendOptions }) };
}

function formatLocation({ path = '/', to, backendOptions }: LighttpdLocation): string {
  const backends = [to].flat().map((address) => {
    const options = { 'check-local': 'disable', 'fix-root-scriptname': 'enable', ...backendOptions };
    const lines = Object.entries(options).map(([name, value]) => `"${name}" => ${formatValue(value)}`);
    return `(${[...formatAddress(address), ...lines].join(', ')})`;
  });
  return `  "${path}" => (${backends.join(', ')})`;
}

function formatAddress(address: string): string[] {
  if (address.startsWith('unix:')) return [`"socket" => "${address.slice('unix:'.length)}"`];
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return [`"host" => "${host}"`, `"port" => ${address.slice(colon + 1)}`];
}

function formatValue(value: LighttpdValue): string {
  if (typeof value === 'number') return `${value}`;
  return typeof value === 'string' ? `"${value}"` : `( ${value.map((text) => `"${text}"`).join(', ')} )`;
}
