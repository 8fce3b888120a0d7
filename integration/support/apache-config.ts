// Writes Apache configurations for mod_proxy_scgi and for CGI programs: typed options in, text out. Starts nothing.

import { existsSync } from 'node:fs';
import type { TlsFiles } from './nginx-config.js';
import type { ServerPlace } from './server-process.js';

/** A part of the site and where its requests go. */
export interface ApacheLocation {
  /** The prefix, as `ProxyPass` and `<Location>` want it: `/`, `/app/`. Default `/`. */
  readonly path?: string;
  /** The backend: `127.0.0.1:4000` or `unix:/run/app.sock`. */
  readonly to: string;
  /** Pass `Authorization` on. Default true; in Apache itself it is not. */
  readonly passAuthorization?: boolean;
  /** More directives for this `<Location>`. */
  readonly directives?: readonly string[];
}

/** A folder whose files Apache runs as CGI programs. */
export interface ApacheCgiFolder {
  /** Absolute path. Programs run as Apache's worker, www-data for root, which must be able to read all that they use. */
  readonly folder: string;
  /** The prefix, with a slash at its end. Default `/cgi-bin/`. */
  readonly path?: string;
  /** Run only files with these extensions, `.cgi`, and send the others. Default: every file is a program. */
  readonly extensions?: readonly string[];
  /** Pass `Authorization` on. Default true; in Apache itself it is not. */
  readonly passAuthorization?: boolean;
  /** More directives for this `<Directory>`. */
  readonly directives?: readonly string[];
}

/** A whole site: one location given directly, or several. The first whose prefix fits gets the request. */
export interface ApacheOptions extends Partial<ApacheLocation> {
  readonly locations?: readonly ApacheLocation[];
  /** Folders of CGI programs, beside the locations or in their place. A request for one never goes to a location. */
  readonly cgi?: readonly ApacheCgiFolder[];
  /** Which module runs the programs: `cgid` has a process of its own for that, `cgi` forks the worker. Default `cgid`. */
  readonly cgiModule?: 'cgid' | 'cgi';
  /** Take the Content-Length of responses from the application. Default true; in Apache since 2.4.59 it is not. */
  readonly trustLength?: boolean;
  /** Follow `200` with `Location: /path` inside Apache. Default false; in Apache itself it is on. */
  readonly internalRedirect?: boolean;
  /** Names of more modules: `rewrite` for `mod_rewrite`. Loaded before anything else is read. */
  readonly modules?: readonly string[];
  /** More directives for the virtual host, before its locations. */
  readonly serverDirectives?: readonly string[];
  /** More directives outside of it: limits of the process, for example. */
  readonly globalDirectives?: readonly string[];
  /** Serve the same over HTTPS too, on a port of its own, with this certificate and key (paths of PEM files). */
  readonly tls?: TlsFiles;
}

/** The configuration of a server that keeps all its files in its own folder and reads none of the distribution's. */
export function formatApacheConfig(options: ApacheOptions, { folder, port, tlsPort }: ServerPlace): string {
  const modules = [
    'mpm_event',
    'authz_core',
    'proxy',
    'proxy_scgi',
    'setenvif',
    ...cgiModules(options),
    ...(options.tls === undefined ? [] : ['ssl']),
    ...(options.modules ?? []),
  ];
  const ports = options.tls === undefined ? [port] : [port, tlsPort];
  return `
    ServerRoot ${folder}
    DefaultRuntimeDir ${folder}
    PidFile ${folder}/httpd.pid
    Mutex file:${folder}
    ErrorLog ${folder}/error.log
    LogLevel info
    ServerName localhost
    DocumentRoot ${folder}/htdocs
    ${ports.map((number) => `Listen 127.0.0.1:${number}`).join('\n')}
    ${loadModules(modules)}
    ${userLines().join('\n')}
    # One worker process with spare places, so that one that is finishing does not stand in the way of its successor.
    StartServers 1
    ServerLimit 8
    ThreadsPerChild 64
    MinSpareThreads 1
    MaxSpareThreads 512
    MaxRequestWorkers 512
    ${modules.includes('cgid') ? `ScriptSock ${folder}/cgid.sock` : ''}
    ${modules.includes('mime') ? 'TypesConfig /dev/null' : ''}
    ${(options.globalDirectives ?? []).join('\n')}
    ${ports.map((number) => formatHost(options, number, number === port ? undefined : options.tls)).join('\n')}
  `;
}

/** `LoadModule` lines for modules by their short names. */
export function loadModules(names: readonly string[]): string {
  const folder = modulesFolder();
  // Debian has unixd and log_config inside the program; elsewhere User and Group need the module.
  const wanted = [...new Set([...names, ...(existsSync(`${folder}/mod_unixd.so`) ? ['unixd'] : [])])];
  return wanted.map((name) => `LoadModule ${name}_module ${folder}/mod_${name}.so`).join('\n');
}

/** Apache does not run as root, and says so; it must be somebody who exists. */
export function userLines(): string[] {
  if (process.getuid?.() !== 0) return [];
  const user = existsSync('/etc/debian_version') ? 'www-data' : 'nobody';
  return [`User ${user}`, ...(user === 'www-data' ? ['Group www-data'] : [])];
}

function formatHost(options: ApacheOptions, port: number, tls: TlsFiles | undefined): string {
  const { trustLength = true, internalRedirect = false, cgi = [] } = options;
  const isCgiOnly = cgi.length > 0 && options.to === undefined;
  const locations = options.locations ?? (isCgiOnly ? [] : [toLocation(options)]);
  const lines = [
    ...(tls === undefined
      ? []
      : ['SSLEngine on', `SSLCertificateFile ${tls.certificate}`, `SSLCertificateKeyFile ${tls.key}`]),
    'ServerName localhost',
    'AllowEncodedSlashes NoDecode',
    `ProxySCGIInternalRedirect ${internalRedirect ? 'On' : 'Off'}`,
    ...(trustLength ? ['SetEnvIf Request_URI . ap_trust_cgilike_cl=1'] : []),
    ...(options.serverDirectives ?? []),
    ...cgi.flatMap(formatCgiFolder),
    ...locations.flatMap(formatLocation),
  ];
  return `<VirtualHost 127.0.0.1:${port}>\n${lines.join('\n')}\n</VirtualHost>`;
}

function cgiModules({ cgi = [], cgiModule = 'cgid' }: ApacheOptions): string[] {
  if (cgi.length === 0) return [];
  return [cgiModule, 'alias', ...(cgi.some(({ extensions }) => extensions !== undefined) ? ['mime'] : [])];
}

function formatCgiFolder(cgi: ApacheCgiFolder): string[] {
  const { folder, path = '/cgi-bin/', extensions, passAuthorization = true, directives = [] } = cgi;
  return [
    // Before those of the locations: the first that fits counts.
    `ProxyPass "${path}" "!"`,
    `${extensions === undefined ? 'ScriptAlias' : 'Alias'} "${path}" "${folder}/"`,
    `<Directory "${folder}">`,
    'Require all granted',
    'Options +ExecCGI',
    ...(extensions === undefined ? [] : [`AddHandler cgi-script ${extensions.join(' ')}`]),
    ...(passAuthorization ? ['CGIPassAuth On'] : []),
    ...directives,
    '</Directory>',
  ];
}

function toLocation({ path, to, passAuthorization, directives }: ApacheOptions): ApacheLocation {
  if (to === undefined) throw new TypeError('Apache needs a backend: give `to`, `locations` or `cgi`');
  return {
    to,
    ...(path !== undefined && { path }),
    ...(passAuthorization !== undefined && { passAuthorization }),
    ...(directives !== undefined && { directives }),
  };
}

function formatLocation(location: ApacheLocation, index: number): string[] {
  const { path = '/', to, passAuthorization = true, directives = [] } = location;
  // For a Unix socket the host is only a name; Apache takes sockets of the same name for the same backend.
  const target = to.startsWith('unix:') ? `${to}|scgi://backend${index}${path}` : `scgi://${to}${path}`;
  return [
    `<Location "${path}">`,
    ...(passAuthorization ? ['CGIPassAuth On'] : []),
    ...directives,
    '</Location>',
    `ProxyPass "${path}" "${target}" nocanon`,
  ];
}

function modulesFolder(): string {
  const folders = [
    '/usr/lib/apache2/modules',
    '/usr/lib64/httpd/modules',
    '/usr/lib/httpd/modules',
    '/usr/lib64/apache2',
    '/usr/local/libexec/apache24',
    '/opt/homebrew/lib/httpd/modules',
  ];
  const folder = folders.find((path) => existsSync(`${path}/mod_proxy_scgi.so`));
  if (folder === undefined) throw new Error(`no mod_proxy_scgi.so in ${folders.join(', ')}`);
  return folder;
}
