/** The application as it would be behind any server: usual Nest. Nothing in here knows that SCGI exists. */
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import hbs from 'hbs';
import { BooksModule } from './books/books.module.js';
import { decorate } from './decorate.js';
import { ErrorPageFilter } from './error-page.filter.js';
import { StartController } from './start.controller.js';

const folder = (name) => fileURLToPath(new URL(name, import.meta.url));

export class AppModule {}
decorate(AppModule, [Module({ imports: [BooksModule], controllers: [StartController] })]);

/** @param {import('@nestjs/common').NestApplicationOptions} [options] */
export async function createApp(options) {
  const app = await NestFactory.create(AppModule, options);
  app.setBaseViewsDir(folder('views'));
  app.engine('html', hbs.__express); // puts each view into layout.html
  app.setViewEngine('html');
  app.useStaticAssets(folder('public'), { prefix: '/assets/' });
  app.useGlobalFilters(new ErrorPageFilter());
  return app;
}
