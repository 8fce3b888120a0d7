import { Agent, createServer } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { listen } from './listen.js';

const agent = new Agent({ keepAlive: true });
const target = `http://${process.env.BACKEND}`;
listen(createServer(express().use(createProxyMiddleware({ target, agent }))));
