// The three sites that are compared: Apache, which runs the programs itself (mod_cgid), and our runner behind nginx and
// behind Apache. All of them have the same programs, documents and users.

import { cgiDirectory } from '@scgi/cgi';
import { createCertificate } from '../../../nginx/support/certificate.js';
import { ApacheStage } from '../../../apache/support/stage.js';
import type { ApacheOptions } from '../../../support/apache.js';
import type { NginxOptions } from '../../../support/nginx.js';
import type { Cases, FrontEnd } from './case.js';
import type { Site } from './exchange.js';
import { makePrograms, type Programs } from './programs.js';

export interface Sites {
  /** The oracle. */
  readonly cgid: Site;
  /** What is judged by it. */
  readonly ours: Readonly<Record<FrontEnd, Site>>;
  stop(): Promise<void>;
}

export async function startSites(cases: Cases): Promise<Sites> {
  const stage = new ApacheStage();
  try {
    const root = stage.folder();
    const files = makePrograms(root, cases);
    const tls = createCertificate(root);
    const listener = cgiDirectory(files.programs, {
      mount: '/cgi-bin',
      documentRoot: files.documents,
      // What goes wrong is what many of the cases are about.
      onError: () => {},
      onErrorOutput: () => {},
    });
    const { address } = await stage.serve(listener);
    const [cgid, nginx, apache] = await Promise.all([
      stage.apache({
        ...apacheSite(files, 'AllowEncodedSlashes Off'),
        tls,
        cgi: [{ folder: files.programs, passAuthorization: false }],
      }),
      stage.nginx({ ...nginxSite(files, address), tls }),
      stage.apache({ ...apacheSite(files), tls, path: '/cgi-bin/', to: address, internalRedirect: true }),
    ]);
    return { cgid, ours: { nginx, apache }, stop: () => stage.clear() };
  } catch (error) {
    await stage.clear();
    throw error;
  }
}

function apacheSite(
  { documents, passwords }: Programs,
  ...directives: readonly string[]
): Pick<ApacheOptions, 'modules' | 'serverDirectives'> {
  return {
    modules: ['authn_core', 'authn_file', 'auth_basic', 'authz_user'],
    serverDirectives: [
      'ServerName example.test',
      ...directives,
      `DocumentRoot "${documents}"`,
      `<Directory "${documents}">`,
      'Require all granted',
      '</Directory>',
      '<Location "/cgi-bin/private/">',
      'AuthType Basic',
      'AuthName "private"',
      `AuthUserFile "${passwords}"`,
      'Require valid-user',
      '</Location>',
    ],
  };
}

function nginxSite({ documents, passwords }: Programs, to: string): NginxOptions {
  return {
    serverDirectives: ['server_name example.test;', `root ${documents};`],
    locations: [
      { path: '/cgi-bin/', to },
      {
        path: '/cgi-bin/private/',
        to,
        params: { REMOTE_USER: '$remote_user', AUTH_TYPE: 'Basic' },
        directives: ['auth_basic "private";', `auth_basic_user_file ${passwords};`],
      },
    ],
  };
}
