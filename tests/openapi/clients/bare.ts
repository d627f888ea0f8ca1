// A page of an app with the default features alone.
import { createClient } from "./bare-client";

const client = createClient();
export const name = async (): Promise<string | undefined> => (await client.session())?.email;
// @ts-expect-error: the app has no passkeys.
client.passkeys.login();
// @ts-expect-error: the app has no codes of authenticator apps.
client.post("/login/totp", { code: "123456" });
