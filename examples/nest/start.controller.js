import { Controller, Get, Redirect } from '@nestjs/common';
import { decorate } from './decorate.js';

export class StartController {
  start() {}
}

decorate(StartController, [Controller()], {
  methods: { start: { on: [Get(), Redirect('/books')] } },
});
