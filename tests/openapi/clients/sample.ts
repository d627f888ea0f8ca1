// What a program does with the generated types. The test puts the mount in the place of MOUNT.
import type { paths } from "./schema";

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Sent<P extends keyof paths> = paths[P] extends { post: { requestBody?: infer Body } } ? Json<NonNullable<Body>> : never;
type Reset = Sent<"MOUNT/reset-password">;

export const login: Sent<"MOUNT/login"> = { email: "ada@example.com", password: "correct horse battery" };
export const byToken: Reset = { token: "t", new_password: "correct horse battery" };
export const byCode: Reset = { request: "r", code: "1", new_password: "correct horse battery" };
export const verify: Sent<"MOUNT/verify-email"> = { token: "t" };
export const unlock: Sent<"MOUNT/unlock"> = { request: "r", code: "1" };
export const change: Sent<"MOUNT/confirm-email-change"> = { token: "t" };
export const magic: Sent<"MOUNT/magic-link/login"> = { request: "r", code: "1" };

// @ts-expect-error: the new password is missing.
export const noPassword: Reset = { token: "t" };
// @ts-expect-error: the code is missing.
export const noCode: Reset = { request: "r", new_password: "correct horse battery" };
// @ts-expect-error: there is no such field.
export const unknown: Reset = { token: "t", new_password: "correct horse battery", nonsense: 1 };

type Tokens = Json<paths["MOUNT/login"]["post"]["responses"][200]>;
export const lifetime = (tokens: Tokens): number => tokens.expires_in;
