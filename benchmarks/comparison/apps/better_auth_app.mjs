// Better Auth on Node.js, with its memory adapter (its SQLite driver is compiled at installation) and its rate limits.
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";

const auth = betterAuth({
  secret: process.env.COMPARISON_SECRET,
  baseURL: process.env.COMPARISON_URL,
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true, sendResetPassword: async () => {} },
  rateLimit: { enabled: true },
});
const handler = toNodeHandler(auth);

createServer(async (request, response) => {
  if (request.url === "/open") return response.end("ok");
  if (request.url !== "/closed") return handler(request, response);
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!session) response.statusCode = 401;
  response.end(session?.user.id ?? "");
}).listen(Number(process.env.COMPARISON_PORT), "127.0.0.1");
