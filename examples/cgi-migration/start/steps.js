// What each step needs: whether a program of Node.js runs, which web server stands before it, and with which block.
import { apache } from './apache.js';
import { nginx } from './nginx.js';

const oldPath = '/cgi-bin/guestbook.pl';

export const steps = {
  1: { server: apache, block: 'apache-step1.conf', path: oldPath },
  2: { application: 'step2.js', server: apache, block: 'apache-step2.conf', path: oldPath },
  3: { application: 'step3.js', server: apache, block: 'apache-step2.conf', path: oldPath },
  4: { application: 'step4.js', server: apache, block: 'apache-step2.conf', path: oldPath },
  5: { application: 'step5.js', server: nginx, block: 'nginx-step5.conf', path: '/guestbook' },
  6: { server: apache, block: 'apache-step6.conf', path: '/cgi-bin/application.js/guestbook' },
};
