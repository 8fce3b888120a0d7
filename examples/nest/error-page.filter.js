/** From an exception to an answer: a page for those who read pages, JSON for the others. */
import { Catch, HttpException, Logger } from '@nestjs/common';
import { decorate } from './decorate.js';

export class ErrorPageFilter {
  logger = new Logger('ErrorPage');

  catch(error, host) {
    const request = host.switchToHttp().getRequest();
    const response = host.switchToHttp().getResponse();
    const { status, problems } = explain(error);
    if (status >= 500) this.logger.error(error);
    response.status(status);
    if (request.accepts(['json', 'html']) === 'html') response.render('error', { title: `Error ${status}`, problems });
    else response.json({ status, problems });
  }
}

decorate(ErrorPageFilter, [Catch()]);

function explain(error) {
  if (error instanceof HttpException) {
    return { status: error.getStatus(), problems: [error.getResponse().message ?? error.message].flat() };
  }
  // The body parsers mark the errors whose message is for the client.
  if (error.expose) return { status: error.status, problems: [error.message] };
  return { status: 500, problems: ['Something went wrong on our side.'] };
}
