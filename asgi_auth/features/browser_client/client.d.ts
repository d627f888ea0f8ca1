// The types of client.js, for the endpoints that this server has.

/** The user of the session, as `GET /me` returns it. */
export type User = Answer<"me">;

/**
 * The code of an error: of the server, or `offline` when no answer of the library came. An error of another program,
 * such as a proxy, is `http_` and its status.
 */
export type Code = KnownCode | "offline" | `http_${number}`;

/** A refusal, or the lack of an answer. `message` is for people, and may change. */
export class AuthError extends Error {
  readonly code: Code;
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  /** The reasons for each field that was refused. */
  readonly fields: Record<string, string[]>;
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;
  /** Whether the user has to prove a factor again: by one of `ways`. */
  readonly isStepUp: boolean;
  readonly ways: string[];
  readonly factors: string[];
  /** Of a ban whose reason the user is told; `until` is in seconds since 1970. */
  readonly reason?: string;
  readonly until?: number;
  /** Make the error of a response of your own endpoints. The body can still be read afterwards. */
  static of(response: Response): Promise<AuthError>;
}

/** The end of a login: the user, or the factors of which one is required (`setup`: none exists yet). */
export type Login =
  | { user: User }
  | {
      user: null;
      factors: string[];
      setup: boolean;
      /** For the endpoints that set up a factor; with cookies, the browser keeps it. */
      pending: string | undefined;
      /** Seconds until the login has to be finished. */
      expires_in: number | undefined;
    };

export interface Options {
  /** The URL of the endpoints. By default that of the folder of client.js: name it when the file is bundled. */
  base?: string | URL;
  /** Where the tokens are: in cookies that no script reads (the default), or in the memory of the page. */
  transport?: "cookie" | "bearer";
  /** Further origins that get the tokens, such as that of an API of yours. */
  origins?: readonly string[];
  /**
   * Where bearer tokens outlive a reload, such as `localStorage`. Every script of the origin can read them there: one
   * cross-site scripting bug gives the session away. By default they are in memory, and the tabs share them.
   */
  storage?: Pick<Storage, "getItem" | "setItem">;
}

export interface Client {
  /** The URL of the endpoints. */
  readonly base: string;
  /** The user as last known; null without a login, undefined before the first call and where `/me` failed after a login. */
  readonly user: User | null | undefined;
  /** Ask the server who is logged in. Rejects when the server does not answer: the session is kept then. */
  session(): Promise<User | null>;
  /** Hear of another user, of changed data, of null after a logout, and of undefined, in all tabs. Returns how to stop. */
  onChange(listener: (user: User | null | undefined) => void): () => void;
  register: Method<"register">;
  login(values: Sent<"login">): Promise<Login>;
  /** Log in at another endpoint, such as that of a magic link. */
  loginBy<P extends PathOf<"POST">>(path: P, values: At<"POST", P>["values"]): Promise<Login>;
  /** Finish a login by one of its `factors`. */
  second(factor: "otp" | "recovery", values: { code: string; trust_device?: boolean }): Promise<Login>;
  second(factor: "passkey"): Promise<Login>;
  logout(): Promise<void>;
  /**
   * Like `fetch`, with the session of the user. A request whose token has expired is sent again, once, with its whole
   * body. All other refusals are returned as they are. Other origins than those of `base` and `origins` get no token.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Open a websocket. With bearer tokens it needs a protocol that the server accepts. */
  socket(url: string | URL, protocols?: string[]): Promise<WebSocket>;
  /**
   * Call an endpoint of the library. `{name}` in a path is filled in from the values. Rejects with an AuthError, and
   * with a TypeError for an empty value in a path, and one of dots alone, which would name another endpoint.
   */
  get: Call<"GET">;
  post: Call<"POST">;
  patch: Call<"PATCH">;
  delete: Call<"DELETE">;
  readonly passkeys: "add_passkey" extends keyof Endpoints ? Passkeys : never;
}

/** The ceremonies reject with the browser's DOMException when the user breaks off. */
export interface Passkeys {
  readonly isSupported: boolean;
  /** Log in by a passkey. `autofill` offers it in the field with `autocomplete="username webauthn"`, and waits. */
  login(options?: { autofill?: boolean }): Promise<Login>;
  /** Register with a passkey in place of a password. */
  register: SignUp<"passkey_sign_up">;
  /** Add a passkey; `pending` is that of a login that has to set up a factor. */
  add(name?: string, more?: { pending: string }): Promise<Answer<"add_passkey">>;
  /** Prove a passkey again, for actions that need a fresh login. */
  prove(): Promise<Answer<"reauthenticate_by_passkey">>;
  /** Stop the ceremony that waits for the user. */
  stop(): void;
}

export function createClient(options?: Options): Client;

type Sent<N extends string> = N extends keyof Endpoints ? Endpoints[N]["values"] : never;
type Answer<N extends string> = N extends keyof Endpoints ? Endpoints[N]["answer"] : never;
type SignUp<N extends string> = N extends keyof Endpoints
  ? (values: Omit<Endpoints[N]["values"], "credential" | "request">) => Promise<Endpoints[N]["answer"]>
  : never;
type PathOf<M> = Extract<Endpoints[keyof Endpoints], { method: M }>["path"];
type At<M, P> = Extract<Endpoints[keyof Endpoints], { method: M; path: P }>;
type Values<V> = {} extends V ? [values?: V] : [values: V];
type Call<M> = <P extends PathOf<M>>(path: P, ...values: Values<At<M, P>["values"]>) => Promise<At<M, P>["answer"]>;
type Method<N extends string> = N extends keyof Endpoints
  ? (...values: Values<Endpoints[N]["values"]>) => Promise<Endpoints[N]["answer"]>
  : never;
