// PostGraphile 4 over the product's own functions (postgraphile.sql), with the tenant of the token as a setting of each transaction.
'use strict';
const { createSecretKey } = require('node:crypto');
const { createServer } = require('node:http');
const jwt = require('jsonwebtoken');
const { Pool } = require('pg');
const { postgraphile } = require('postgraphile');

const key = createSecretKey(Buffer.from(process.env.JWT_SECRET));
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const graph = postgraphile(pool, 'bench_graph', {
  graphiql: false,
  watchPg: false,
  disableQueryLog: true,
  setofFunctionsContainNulls: false,
  ignoreRBAC: true,
  pgSettings: (request) => {
    const user = jwt.verify((request.headers.authorization ?? '').slice('Bearer '.length), key, { algorithms: ['HS256'] });
    return { 'app.tenant_id': user.tenant_id, 'app.user_id': user.sub };
  },
});

createServer((request, response) => {
  if (request.url === '/live') return response.end('ok');
  graph(request, response);
}).listen(Number(process.env.PORT), '127.0.0.1');
