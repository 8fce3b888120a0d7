/** The books, in memory. Both controllers are given the same one. */
import { Injectable, Logger, NotFoundException } from '@nestjs/common';
import { decorate } from '../decorate.js';

export class BooksService {
  #logger = new Logger('Books');
  #lastId = 0;
  #books = new Map();

  onModuleInit() {
    this.add({ title: 'Molloy', author: 'Samuel Beckett' });
    this.add({ title: 'Die Wand', author: 'Marlen Haushofer' });
  }

  all() {
    return [...this.#books.values()];
  }

  one(id) {
    const book = this.#books.get(id);
    if (book === undefined) throw new NotFoundException(`There is no book ${id}.`);
    return book;
  }

  add({ title, author }) {
    const book = { id: ++this.#lastId, title, author };
    this.#books.set(book.id, book);
    return book;
  }

  remove(id) {
    this.#books.delete(this.one(id).id);
  }

  onApplicationShutdown(signal) {
    this.#logger.log(`forgotten after ${signal}: ${this.#books.size} books`);
  }
}

decorate(BooksService, [Injectable()]);
