// What a page does with the client. The types are those of the endpoints of the test.
import { AuthError, createClient, type Login, type User } from "./client";

const client = createClient({ base: "/auth", transport: "bearer", storage: sessionStorage, origins: ["https://api.example"] });
const stop: () => void = client.onChange((user: User | null | undefined) => { document.title = user?.email ?? "Log in"; });

export async function logIn(email: string, password: string, code: string): Promise<string> {
  let done: Login = await client.login({ email, password });
  if (done.user === null) done = await client.second("otp", { code: done.factors.length ? code : "", trust_device: true });
  if (done.user === null) done = await client.second("passkey");
  await client.loginBy("/magic-link/login", { token: "t" });
  return done.user?.roles.join() ?? "";
}

export async function look(): Promise<number> {
  const { sessions } = await client.get("/sessions");
  for (const { id, current } of sessions) if (!current) await client.delete("/sessions/{id}", { id });
  const { ended } = await client.post("/logout-all");
  const renamed = await client.patch("/passkeys/{id}", { id: "x", name: "Phone" });
  const added = await client.passkeys.add(renamed.name);
  await client.passkeys.register({ email: "ada@example.com", company: "Analytical Engines" });
  const text: string = await client.get("/admin/audit", { format: "csv" });
  const socket: WebSocket = await client.socket("/live", ["chat"]);
  const response: Response = await client.fetch(new URL("https://api.example/notes"), { method: "POST", body: text });
  if (!response.ok) throw await AuthError.of(response);
  stop();
  return ended + added.passkey.created_at + socket.readyState;
}

export async function change(current_password: string, new_password: string): Promise<string | undefined> {
  try {
    await client.post("/change-password", { current_password, new_password });
    await client.patch("/me", { company: "Analytical Engines", plan: "pro", born: null });
    return undefined;
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.code === "password_validation") return error.fields["new_password"]?.join(" ");
    return error.retryAfter === undefined ? error.message : `Try again in ${error.retryAfter.toFixed()} seconds.`;
  }
}

// @ts-expect-error: there is no such endpoint.
client.post("/nothing");
// @ts-expect-error: the password is missing.
client.login({ email: "ada@example.com" });
// @ts-expect-error: the id is missing.
client.delete("/sessions/{id}");
// @ts-expect-error: there is no such field.
client.patch("/me", { nonsense: 1 });
// @ts-expect-error: there is no such code.
export const isTypo = (error: AuthError): boolean => error.code === "invalid_credential";
