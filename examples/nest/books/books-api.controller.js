/** The same books as JSON. */
import { Body, Controller, Delete, Get, HttpCode, Param, ParseIntPipe, Post } from '@nestjs/common';
import { UseGuards, UseInterceptors } from '@nestjs/common';
import { decorate } from '../decorate.js';
import { BooksService } from './books.service.js';
import { EnvelopeInterceptor } from './envelope.interceptor.js';
import { LocalGuard } from './local.guard.js';
import { NewBookPipe } from './new-book.pipe.js';

export class BooksApiController {
  constructor(books) {
    this.books = books;
  }

  list() {
    return this.books.all();
  }

  add(newBook) {
    return this.books.add(newBook);
  }

  remove(id) {
    this.books.remove(id);
  }
}

decorate(BooksApiController, [Controller('api/books'), UseInterceptors(EnvelopeInterceptor)], {
  inject: [BooksService],
  methods: {
    list: { on: [Get()] },
    add: { on: [Post()], parameters: [Body(NewBookPipe)] },
    remove: { on: [Delete(':id'), HttpCode(204), UseGuards(LocalGuard)], parameters: [Param('id', ParseIntPipe)] },
  },
});
