// A private nginx for one block: it reads nothing but scgi_params of the one that the system may run, and writes nothing.
import { existsSync } from 'node:fs';
import { findProgram } from './find-program.js';

const folders = ['/etc/nginx', '/usr/local/etc/nginx', '/opt/homebrew/etc/nginx'];
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export const nginx = {
  name: 'nginx',
  debianPackage: 'nginx',
  find: () => findProgram('nginx'),
  // -e: without it nginx opens the log of the system's before it reads the configuration.
  args: ({ folder }, file) => ['-p', folder, '-e', `${folder}/error.log`, '-c', file],

  format({ folder }, block) {
    const home = folders.find((candidate) => existsSync(`${candidate}/scgi_params`));
    return `
      daemon off;
      pid ${folder}/nginx.pid;
      events {}
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        ${block.replaceAll(/include\s+scgi_params;/g, `include ${home}/scgi_params;`)}
      }`;
  },
};
