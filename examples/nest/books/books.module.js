import { Module } from '@nestjs/common';
import { decorate } from '../decorate.js';
import { BooksApiController } from './books-api.controller.js';
import { BooksController } from './books.controller.js';
import { BooksService } from './books.service.js';

export class BooksModule {}
decorate(BooksModule, [Module({ controllers: [BooksController, BooksApiController], providers: [BooksService] })]);
