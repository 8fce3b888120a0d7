// serveCgi(): the one request of a CGI program, or a server. One call for an application that is run either way.

import type { ScgiListener } from './node/guard-listener.js';
import { serveScgi } from './serve.js';
import type { RunningServer, ServeOptions } from './serve.js';
import type { ScgiBridge } from './server/index.js';
import type { CgiOptions } from './stdio/cgi-process.js';
import { CgiProcess } from './stdio/cgi-process.js';
import { isCgiProgram } from './stdio/process-environment.js';

/** Options of a `serveCgi`: those of the `serveScgi` beside it, `basePath` with another default, and one more. */
export type ServeCgiOptions<Options = ServeOptions> = Options & {
  /** For an application that runs as a CGI program. */
  readonly cgi?: CgiOptions | undefined;
};

/** A `serveCgi` for applications of one kind. */
export type ServeCgi<App, Options> = (app: App, options?: ServeCgiOptions<Options>) => Promise<RunningServer>;

/**
 * Makes a `serveCgi` of a `serveScgi`. In a process that a web server has started to answer one request (CGI) it lets
 * `serve` answer that one, from the standard input to the standard output; then it closes the server and ends the process:
 * with code 0 if the answer is whole, 143 or 130 after SIGTERM or SIGINT, else 1. In any other process it calls `serve`.
 * Either way the application is mounted at SCRIPT_NAME, unless `basePath` says otherwise.
 */
export function cgiVariant<App, Options extends Pick<ServeOptions, 'bind' | 'basePath'>>(
  serve: (app: App, options: Options) => Promise<RunningServer>,
): ServeCgi<App, Options> {
  return async (app, options) => {
    const basePath = options?.basePath ?? 'SCRIPT_NAME';
    if (!isCgiProgram(process.env)) return serve(app, Object.assign({}, options, { basePath }));
    const program = new CgiProcess(options?.cgi);
    try {
      const running = await serve(app, Object.assign({}, options, { basePath, bind: { connection: program.socket } }));
      void program.finish((timeout) => running.close({ timeout }));
      return running;
    } catch (error) {
      program.release();
      throw error;
    }
  };
}

/**
 * Serves a listener as a CGI program, where a web server has started this process for one request; else as `serveScgi`.
 * What the application prints goes to the standard error then.
 * @throws {LocalProtocolError} as `serveScgi`; ERR_SCGI_OPTION also for `cgi`
 */
export const serveCgi: ServeCgi<ScgiListener | ScgiBridge, ServeOptions> = cgiVariant(serveScgi);
