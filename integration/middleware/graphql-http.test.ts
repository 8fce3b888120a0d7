// graphql-http, as it is, over SCGI: queries by GET and POST, mutations, and every way to get them wrong.

import { createRequire } from 'node:module';
import type { GraphQLSchema as Schema } from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';
import { createHandler as createExpressHandler } from 'graphql-http/lib/use/express';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { serveBothWays, type Ask } from './support/both-ways.js';

// The same copy that graphql-http loads: vitest would take the other one of the two in the package.
const graphql: typeof import('graphql') = createRequire(import.meta.url)('graphql');
const { GraphQLError, GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } = graphql;

function createSchema(): Schema {
  let count = 0;
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: {
      hello: {
        type: GraphQLString,
        args: { name: { type: GraphQLString } },
        resolve: (_, { name }) => `hello ${name}`,
      },
      later: { type: GraphQLString, resolve: async () => 'later' },
      fails: {
        type: GraphQLString,
        resolve() {
          throw new GraphQLError('no such thing');
        },
      },
    },
  });
  const mutation = new GraphQLObjectType({
    name: 'Mutation',
    fields: {
      add: {
        type: GraphQLInt,
        args: { by: { type: new GraphQLNonNull(GraphQLInt) } },
        resolve: (_, { by }) => (count += by),
      },
    },
  });
  return new GraphQLSchema({ query, mutation });
}

const post =
  (body: object): Ask =>
  (agent) =>
    agent.post('/graphql').set('Accept', 'application/graphql-response+json').send(body);

describe.each([
  ['a bare listener', () => createHandler({ schema: createSchema() })],
  ['Express', () => express().all('/graphql', createExpressHandler({ schema: createSchema() }))],
])('graphql-http with %s', (_name, create) => {
  test('answers a query that came as JSON', async () => {
    const app = await serveBothWays(create);
    const answer = await app.same(
      post({ query: 'query ($name: String) { hello(name: $name) later }', variables: { name: 'Zoë' } }),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/graphql-response+json; charset=utf-8');
    expect(JSON.parse(answer.text)).toEqual({ data: { hello: 'hello Zoë', later: 'later' } });
  });

  test('answers a query that came in the URL', async () => {
    const app = await serveBothWays(create);
    const answer = await app.same((agent) =>
      agent.get('/graphql').query({ query: '{ hello(name: "a&b") }' }).set('Accept', 'application/json'),
    );
    expect(answer.text).toBe('{"data":{"hello":"hello a&b"}}');
  });

  test('keeps what a mutation changed', async () => {
    const app = await serveBothWays(create);
    const add = post({ query: 'mutation { add(by: 2) }' });
    await app.same(add);
    expect((await app.same(add)).text).toBe('{"data":{"add":4}}');
  });

  test('refuses a mutation by GET with 405', async () => {
    const app = await serveBothWays(create);
    const answer = await app.same((agent) => agent.get('/graphql').query({ query: 'mutation { add(by: 1) }' }));
    expect(answer.status).toBe(405);
  });

  test('tells of a resolver that failed beside the data', async () => {
    const app = await serveBothWays(create);
    const answer = await app.same(post({ query: '{ later fails }' }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      data: { later: 'later', fails: null },
      errors: [{ message: 'no such thing', path: ['fails'] }],
    });
  });

  test.each([
    ['an unknown field', { query: '{ nonsense }' }, 400],
    ['bad syntax', { query: '{ hello' }, 400],
    ['no query', { variables: {} }, 400],
  ])('refuses %s', async (_what, body, status) => {
    const app = await serveBothWays(create);
    const answer = await app.same(post(body));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).errors).toHaveLength(1);
  });

  test('refuses a body that is no JSON, and a type it does not know', async () => {
    const app = await serveBothWays(create);
    const broken = await app.same((agent) =>
      agent.post('/graphql').set('Content-Type', 'application/json').send('{"query"'),
    );
    expect(broken.status).toBe(400);
    const text = await app.same((agent) => agent.post('/graphql').set('Content-Type', 'text/plain').send('{ hello }'));
    expect(text.status).toBe(415);
  });
});
