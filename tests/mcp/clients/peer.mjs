// Libraries of OAuth with no word of MCP: node peer.mjs openid-client|oauth4webapi ISSUER CLIENT SECRET CALLBACK RESOURCE.
// Without a secret the client registers itself first. Prints {"open": URL}, reads the URL that a browser came back to, and
// prints what it was told: the tokens, those of a refresh, and what the resource says before and after the revocation.
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { createInterface } from 'node:readline'

const [library, issuer, known, secret, callback, resource] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const visit = async (url) => { say({ open: url.href }); return new URL((await lines.next()).value) }
const used = async (token) => {
  const answer = await fetch(resource, { headers: { authorization: `Bearer ${token}` } })
  return answer.ok ? await answer.json() : answer.status
}
const metadata = { redirect_uris: [callback], client_name: library, token_endpoint_auth_method: 'none' }

async function withOpenidClient() {
  const options = { execute: [oidc.allowInsecureRequests], algorithm: 'oauth2' }
  const at = new URL(issuer)
  const config = secret
    ? await oidc.discovery(at, known, secret, oidc.ClientSecretBasic(secret), options)
    : await oidc.dynamicClientRegistration(at, metadata, oidc.None(), options)
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  const url = oidc.buildAuthorizationUrl(config, { redirect_uri: callback, resource, state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })
  const checks = { pkceCodeVerifier: verifier, expectedState: state }
  const tokens = await oidc.authorizationCodeGrant(config, await visit(url), checks, { resource })
  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource })
  const before = await used(fresh.access_token)
  await oidc.tokenRevocation(config, fresh.refresh_token)
  const refused = await oidc.refreshTokenGrant(config, fresh.refresh_token).catch((error) => error.error)
  return { client: config.clientMetadata().client_id, tokens, fresh, before, refused, after: await used(fresh.access_token) }
}

async function withOauth4webapi() {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const at = new URL(issuer)
  const server = await oauth.processDiscoveryResponse(at,
    await oauth.discoveryRequest(at, { algorithm: 'oauth2', ...insecure }))
  const client = secret ? { client_id: known } : await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(server, metadata, insecure))
  const proof = secret ? oauth.ClientSecretPost(secret) : oauth.None()
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({ client_id: client.client_id, redirect_uri: callback, response_type: 'code', resource,
    state, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })
  const told = oauth.validateAuthResponse(server, client, await visit(url), state)
  const tokens = await oauth.processAuthorizationCodeResponse(server, client,
    await oauth.authorizationCodeGrantRequest(server, client, proof, told, callback, verifier, insecure))
  const refresh = async (token) => oauth.processRefreshTokenResponse(server, client,
    await oauth.refreshTokenGrantRequest(server, client, proof, token, insecure))
  const fresh = await refresh(tokens.refresh_token)
  const before = await used(fresh.access_token)
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, proof, fresh.refresh_token, insecure))
  const refused = await refresh(fresh.refresh_token).catch((error) => error.error)
  return { client: client.client_id, tokens, fresh, before, refused, after: await used(fresh.access_token) }
}

say(await (library === 'openid-client' ? withOpenidClient() : withOauth4webapi()))
process.exit()
