// Express as `express()` gives it, with one route.

import express from 'express';

export const app = express();
app.get('/*path', (_req, res) => {
  res.send('Hello world\n');
});
