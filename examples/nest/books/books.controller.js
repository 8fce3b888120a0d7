/** The pages: a list with a form, and one page for each book. */
import { Body, Controller, Get, Param, ParseIntPipe, Post, Redirect, Render } from '@nestjs/common';
import { decorate } from '../decorate.js';
import { BooksService } from './books.service.js';
import { NewBookPipe } from './new-book.pipe.js';

export class BooksController {
  constructor(books) {
    this.books = books;
  }

  list() {
    return { title: 'Books', books: this.books.all() };
  }

  detail(id) {
    return this.books.one(id);
  }

  add(newBook) {
    const { id } = this.books.add(newBook);
    return { url: `/books/${id}`, statusCode: 303 };
  }
}

decorate(BooksController, [Controller('books')], {
  inject: [BooksService],
  methods: {
    list: { on: [Get(), Render('list')] },
    detail: { on: [Get(':id'), Render('detail')], parameters: [Param('id', ParseIntPipe)] },
    add: { on: [Post(), Redirect()], parameters: [Body(NewBookPipe)] },
  },
});
