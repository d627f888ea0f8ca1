// Another service, by jose (keys, tokens) and openid-client (metadata, introspection, revocation).
// node other_service.mjs ISSUER SECRET TOKEN... ; the last token is of another issuer. Prints one JSON object.
import { createRemoteJWKSet, jwtVerify, decodeProtectedHeader } from 'jose'
import * as oidc from 'openid-client'

const [issuer, secret, ...tokens] = process.argv.slice(2)
const foreign = tokens.pop()
const expected = { issuer, audience: 'api', typ: 'at+jwt', algorithms: ['EdDSA', 'ES256'] }
const config = await oidc.discovery(new URL(issuer), 'reports & co', secret, oidc.ClientSecretBasic(secret), {
  execute: [oidc.allowInsecureRequests], algorithm: 'oauth2',
})
const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
const told = { verified: [], refused: [], introspected: [], revoked: [] }
for (const token of tokens) {
  const { payload } = await jwtVerify(token, keys, expected)
  told.verified.push([decodeProtectedHeader(token).alg, payload.sub])
}
const wrong = [[foreign, expected], [tokens[0], { ...expected, audience: 'other' }], [tokens[0], { ...expected, algorithms: ['RS256'] }]]
for (const [token, options] of wrong) {
  told.refused.push(await jwtVerify(token, keys, options).then(() => 'accepted', error => error.code))
}
for (const token of [...tokens, foreign, 'x.y.z']) {
  told.introspected.push(await oidc.tokenIntrospection(config, token))
}
for (const token of [...tokens, 'x.y.z']) {
  await oidc.tokenRevocation(config, token)
  told.revoked.push(await oidc.tokenIntrospection(config, token))
}
process.stdout.write(JSON.stringify(told))
