import { createServer } from 'node:http';
import express from 'express';
import { scgi } from '@scgi/gateway';
import { listen } from './listen.js';

listen(createServer(express().use(scgi(process.env.BACKEND))));
