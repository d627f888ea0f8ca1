// Serves oidc-provider, a certified OpenID provider: node provider.mjs ISSUER CLIENTS, the clients as a JSON list.
// Any login name is a user. The address of a user whose name begins with "unverified" is not verified.
import Provider from 'oidc-provider';

const [issuer, clients] = process.argv.slice(2);

const provider = new Provider(issuer, {
  clients: JSON.parse(clients),
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  scopes: ['openid', 'offline_access'],
  cookies: { keys: ['a key of the tests'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith('unverified'), name: id }),
  }),
});

const { hostname, port } = new URL(issuer);
provider.listen(Number(port), hostname);
