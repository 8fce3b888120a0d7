/** Puts what a handler returns into `{ "data": … }`, if it returns anything. */
import { Injectable } from '@nestjs/common';
import { map } from 'rxjs';
import { decorate } from '../decorate.js';

export class EnvelopeInterceptor {
  intercept(_context, next) {
    return next.handle().pipe(map((data) => (data === undefined ? undefined : { data })));
  }
}

decorate(EnvelopeInterceptor, [Injectable()]);
