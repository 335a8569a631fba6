// Express 5 with pg as one would write it who cares for speed: one prepared statement a request, the secret as a KeyObject
// (a string is tried as a public key first, fifty times slower). It calls the product's own functions, so what differs is what
// stands before them. The tenant is set in the same statement; OFFSET 0 and the reference to it keep the order.
'use strict';
const { createSecretKey } = require('node:crypto');
const express = require('express');
const jwt = require('jsonwebtoken');
const { Pool } = require('pg');

const key = createSecretKey(Buffer.from(process.env.JWT_SECRET));
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const CONTEXT = "SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', $2, true)";
const READ = {
  name: 'read',
  text: `SELECT to_jsonb(v) AS data FROM (${CONTEXT}, $3::uuid AS id OFFSET 0) c, LATERAL relygate.get_visit(c.id) v`,
};
const CHECK_IN = {
  name: 'check_in',
  text: `SELECT to_jsonb(v) AS data FROM (${CONTEXT}, $3::uuid AS site OFFSET 0) c, LATERAL relygate.create_visit(site_id => c.site,
         visitor__first_name => $4, visitor__last_name => $5, visitor__mobile => $6, purpose_id => $7) v`,
};

const app = express();
app.disable('x-powered-by');
app.get('/live', (request, response) => response.json({ status: 'ok' }));
app.use((request, response, next) => {
  try {
    request.user = jwt.verify((request.headers.authorization ?? '').slice('Bearer '.length), key, { algorithms: ['HS256'] });
  } catch {
    return response.status(401).json({ responseCode: 'E' });
  }
  next();
});
app.use(express.json());

app.get('/api/visits/:id', async (request, response) => {
  const { rows } = await pool.query({ ...READ, values: [request.user.tenant_id, request.user.sub, request.params.id] });
  if (rows.length === 0) return response.status(404).json({ responseCode: 'E' });
  response.json({ responseCode: 'S', data: rows[0].data });
});

app.post('/api/visits', async (request, response) => {
  const { visitor, siteId, purposeId } = request.body;
  if (typeof visitor?.firstName !== 'string' || typeof visitor?.mobile !== 'string') {
    return response.status(400).json({ responseCode: 'E' });
  }
  const { rows } = await pool.query({
    ...CHECK_IN,
    values: [request.user.tenant_id, request.user.sub, siteId, visitor.firstName, visitor.lastName, visitor.mobile, purposeId],
  });
  response.status(201).json({ responseCode: 'S', data: rows[0].data });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
