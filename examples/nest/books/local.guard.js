/** Lets in who asks from this very machine. `request.ip` is the web server's word, so no `trust proxy` is needed. */
import { Injectable } from '@nestjs/common';
import { decorate } from '../decorate.js';

export class LocalGuard {
  canActivate(context) {
    return ['127.0.0.1', '::1'].includes(context.switchToHttp().getRequest().ip);
  }
}

decorate(LocalGuard, [Injectable()]);
