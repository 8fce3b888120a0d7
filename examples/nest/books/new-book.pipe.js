/** Makes a book of what a form or a JSON body says, or refuses with everything that is wrong with it. */
import { BadRequestException, Injectable } from '@nestjs/common';
import { decorate } from '../decorate.js';

export class NewBookPipe {
  transform(body) {
    const book = { title: textOf(body?.title), author: textOf(body?.author) };
    const problems = [];
    if (book.title === '') problems.push('A book needs a title.');
    if (book.title.length > 200) problems.push('A title has 200 characters at most.');
    if (book.author === '') problems.push('A book needs an author.');
    if (problems.length > 0) throw new BadRequestException(problems);
    return book;
  }
}

decorate(NewBookPipe, [Injectable()]);

function textOf(value) {
  return typeof value === 'string' ? value.trim() : '';
}
