// cgi2scgi: a CGI program that hands its request to a long-running SCGI server and copies the answer back, for hosts that
// offer nothing but CGI. The same program in C and Perl, which start faster, is in the folder native/ of this package.
// What stands here runs when the program is started.

import { ScgiError } from '@scgi/core/protocol';
import { Relay } from './relay.js';
import { awaitedInput, readEnvironment, readRequest } from './request.js';
import { readSettings } from './settings.js';
import { WebServer, writeToLog } from './web-server.js';

const usage = `cgi2scgi: a CGI program, for a web server to start: REQUEST_METHOD is not set
usage: #!/path/of/cgi2scgi unix:/path/of/app.sock [--retry-for=ms] [--connect-timeout=ms]
       [--first-byte-timeout=ms] [--idle-timeout=ms] [--pass=NAME,PREFIX_*]
       [--start=/path/of/program]
or the same in the variable SCGI_TO
`;

const env = readEnvironment();
const method = env.get('REQUEST_METHOD') ?? '';
if (method === '') {
  writeToLog(usage);
  process.exitCode = 2;
} else {
  passOn(new WebServer(method, awaitedInput(env)));
}

function passOn(webServer: WebServer): void {
  try {
    const settings = readSettings(env, process.argv.slice(2));
    webServer.idleTimeout = settings.idleTimeout;
    new Relay(webServer, readRequest(env, settings.pass), settings).attempt();
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    webServer.fail(error);
  }
}
