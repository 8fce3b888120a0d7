// Writes nginx configurations: typed options in, text out. Starts nothing.

import { existsSync } from 'node:fs';
import type { ServerPlace } from './server-process.js';

/** One `location` and where it passes its requests. */
export interface NginxLocation {
  /** The prefix, or modifier and pattern (`= /x`, `~ \.php$`). Default `/`. */
  readonly path?: string;
  /**
   * The backend, or several for an upstream group: `127.0.0.1:4000`, `unix:/run/app.sock`, with parameters of nginx's
   * `server` directive behind it if wanted: `127.0.0.1:4001 backup`.
   */
  readonly to: string | readonly string[];
  /** Default `scgi`. `http` is for comparisons: keep-alive connections to the backend unless `keepAlive` is false. */
  readonly protocol?: 'scgi' | 'http';
  /** Only with `http`. Default true. */
  readonly keepAlive?: boolean;
  /** `scgi_param` lines after the stock ones: name → value, which may hold nginx variables. A stock name is sent twice. */
  readonly params?: Readonly<Record<string, string>>;
  /** Hold back the response. Default true, as in nginx. */
  readonly buffering?: boolean;
  /** Hold back the request until its body is whole. Default true, as in nginx. */
  readonly requestBuffering?: boolean;
  /** More directives for this location, each with its semicolon. */
  readonly directives?: readonly string[];
}

/** A whole server: one location given directly, or several. */
export interface NginxOptions extends Partial<NginxLocation> {
  readonly locations?: readonly NginxLocation[];
  /** More directives for the `server` block, each with its semicolon. */
  readonly serverDirectives?: readonly string[];
  /** More directives for the `http` block, each with its semicolon. */
  readonly httpDirectives?: readonly string[];
  /** Serve the same over HTTPS too, on a port of its own, with this certificate and key (paths of PEM files). */
  readonly tls?: TlsFiles;
}

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The configuration of one server with one worker that keeps all its files in its own folder. */
export function formatNginxConfig(options: NginxOptions, { folder, port, tlsPort }: ServerPlace): string {
  const locations = options.locations ?? [toLocation(options)];
  // Started as root, nginx gives its workers to nobody, who cannot open a Unix socket of ours.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `
    ${user}
    daemon off;
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log ${folder}/error.log info;
    events { worker_connections 4096; }
    http {
      access_log off;
      client_max_body_size 0;
      client_body_temp_path ${folder}/client_body;
      proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi;
      scgi_temp_path ${folder}/scgi;
      ${(options.httpDirectives ?? []).join('\n')}
      ${locations.map(formatUpstream).join('\n')}
      server {
        listen 127.0.0.1:${port} backlog=1024;
        listen unix:${folder}/http.sock;
        ${tlsLines(options.tls, tlsPort).join('\n')}
        ${(options.serverDirectives ?? []).join('\n')}
        ${locations.map(formatLocation).join('\n')}
      }
    }
  `;
}

function tlsLines(files: TlsFiles | undefined, port: number): string[] {
  if (files === undefined) return [];
  const { certificate, key } = files;
  return [`listen 127.0.0.1:${port} ssl;`, `ssl_certificate ${certificate};`, `ssl_certificate_key ${key};`];
}

function toLocation({ to, ...rest }: NginxOptions): NginxLocation {
  if (to === undefined) throw new TypeError('nginx needs a backend: give `to` or `locations`');
  return { ...rest, to };
}

function formatUpstream(location: NginxLocation, index: number): string {
  const servers = [location.to].flat().map((server) => `server ${server};`);
  const keepAlive = location.protocol === 'http' && location.keepAlive !== false ? 'keepalive 64;' : '';
  return `upstream backend${index} { ${servers.join(' ')} ${keepAlive} }`;
}

function formatLocation(location: NginxLocation, index: number): string {
  const lines = location.protocol === 'http' ? httpLines(location, index) : scgiLines(location, index);
  return `location ${location.path ?? '/'} {\n${[...lines, ...(location.directives ?? [])].join('\n')}\n}`;
}

function scgiLines(location: NginxLocation, index: number): string[] {
  const params = Object.entries(location.params ?? {}).map(([name, value]) => `scgi_param ${name} "${value}";`);
  return [`include ${stockParams()};`, ...params, `scgi_pass backend${index};`, ...bufferingLines('scgi', location)];
}

function httpLines(location: NginxLocation, index: number): string[] {
  // HTTP/1.0 and Connection: close are nginx's defaults towards a backend.
  const keepAlive = ['proxy_http_version 1.1;', 'proxy_set_header Connection "";'];
  return [
    `proxy_pass http://backend${index};`,
    'proxy_set_header Host $http_host;',
    ...(location.keepAlive === false ? [] : keepAlive),
    ...bufferingLines('proxy', location),
  ];
}

function bufferingLines(module: 'scgi' | 'proxy', { buffering, requestBuffering }: NginxLocation): string[] {
  return [
    ...(buffering === false ? [`${module}_buffering off;`] : []),
    ...(requestBuffering === false ? [`${module}_request_buffering off;`] : []),
  ];
}

/** The parameters exactly as the distribution ships them: what our users have. */
export function stockParams(): string {
  const folders = ['/etc/nginx', '/usr/local/etc/nginx', '/opt/homebrew/etc/nginx'];
  const file = folders.map((folder) => `${folder}/scgi_params`).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`no scgi_params in ${folders.join(', ')}`);
  return file;
}
