// A program on the TypeScript SDK: node program.mjs v1|v2 URL [URL of its metadata document].
// It reads commands as lines of JSON and answers each with a line: {"text"}, {"error"}, {"value"}, or {"open": URL} to have
// a browser visit a URL; the next line is then {"landed": URL}.
import { createInterface } from 'node:readline'

const [version, url, document] = process.argv.slice(2)
const v2 = version === 'v2'
const { Client, StreamableHTTPClientTransport } = v2
  ? await import('@modelcontextprotocol/client')
  : { ...(await import('@modelcontextprotocol/sdk/client/index.js')),
      ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')) }
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const heard = async () => JSON.parse((await lines.next()).value ?? 'null')
let kept = {}
let port = 1
let landed

class Provider {
  clientMetadataUrl = document
  get redirectUrl() { return `http://localhost:${port}/callback` }
  get clientMetadata() {
    return { client_name: 'TypeScript', redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }
  }
  state() { return (kept.state = crypto.randomUUID()) }
  clientInformation() { return kept.client }
  saveClientInformation(client) { kept.client = client }
  tokens() { return kept.tokens }
  saveTokens(tokens) { kept.tokens = tokens }
  saveCodeVerifier(verifier) { kept.verifier = verifier }
  codeVerifier() { return kept.verifier }
  saveDiscoveryState(state) { kept.discovery = state }
  discoveryState() { return kept.discovery }
  invalidateCredentials(what) { if (what === 'all') kept = {}; else if (what === 'tokens') delete kept.tokens }
  async redirectToAuthorization(to) { say({ open: to.href }); landed = new URL((await heard()).landed) }
}

async function call(name, args) {
  for (let round = 0; round < 3; round++) {
    landed = undefined
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: new Provider() })
    const client = new Client({ name: 'program', version: '1' })
    try {
      await client.connect(transport)
      const result = await client.callTool({ name, arguments: args })
      return result.content[0].text
    } catch (error) {
      if (!landed) throw error
      const told = landed.searchParams
      if (told.get('state') !== kept.state) throw new Error('another state')
      if (told.get('error')) throw new Error(told.get('error'))
      await transport.finishAuth(v2 ? told : told.get('code'))
    } finally {
      await client.close()
    }
  }
  throw new Error('the browser is asked again and again')
}

for (let command = await heard(); command; command = await heard()) {
  if (command.port) port = command.port
  if (command.kept) kept = command.kept
  if (!command.tool) { say({ value: kept }); continue }
  try { say({ text: await call(command.tool, command.arguments) }) }
  catch (error) { say({ error: `${error.constructor.name}: ${error.message}` }) }
}
process.exit()
