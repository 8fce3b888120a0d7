// A private Apache for one block: it reads and writes nothing of the one that the system may run.
import { existsSync } from 'node:fs';
import { findProgram } from './find-program.js';

const modules = ['mpm_event', 'unixd', 'authz_core', 'alias', 'env', 'cgid', 'proxy', 'proxy_scgi'];
const folders = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];
const user = existsSync('/etc/debian_version') ? 'www-data' : 'apache';

export const apache = {
  name: 'Apache',
  debianPackage: 'apache2',
  find: () => findProgram('apache2', 'httpd'),
  args: ({ folder }, file) => ['-d', folder, '-f', file, '-DFOREGROUND'],

  format({ folder, port }, block) {
    const home = folders.find(existsSync);
    // Debian has built unixd in.
    const files = modules.map((name) => [name, `${home}/mod_${name}.so`]).filter(([, path]) => existsSync(path));
    return [
      `ServerRoot "${folder}"`,
      `DefaultRuntimeDir "${folder}"`,
      `PidFile "${folder}/httpd.pid"`,
      `Mutex "file:${folder}"`,
      `ErrorLog "${folder}/error.log"`,
      'ServerName localhost',
      `DocumentRoot "${folder}"`,
      `Listen 127.0.0.1:${port}`,
      ...files.map(([name, path]) => `LoadModule ${name}_module ${path}`),
      // Apache does not serve as root.
      ...(process.getuid() === 0 ? [`User ${user}`, `Group ${user}`] : []),
      `ScriptSock "${folder}/cgid.sock"`,
      block,
    ].join('\n');
  },
};
