// Serves oidc-provider, a certified OpenID provider: node provider.mjs ISSUER CLIENTS [KEYS], the clients as a JSON list.
// KEYS is a JSON list of private JWKs. The first one signs; one with the member "withdrawn" is not shown.
// Any login name is a user. The address of a user whose name begins with "unverified" is not verified.
import Provider from 'oidc-provider';

const [issuer, clients, keys = '[]'] = process.argv.slice(2);
const known = JSON.parse(keys);
const withdrawn = new Set(known.filter((key) => key.withdrawn).map((key) => key.kid));

const provider = new Provider(issuer, {
  clients: JSON.parse(clients),
  jwks: known.length ? { keys: known.map(({ withdrawn: _, ...key }) => key) } : undefined,
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  scopes: ['openid', 'offline_access'],
  cookies: { keys: ['a key of the tests'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith('unverified'), name: id }),
  }),
});

provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route === 'jwks') ctx.body = { keys: ctx.body.keys.filter((key) => !withdrawn.has(key.kid)) };
});

const { hostname, port } = new URL(issuer);
provider.listen(Number(port), hostname);
