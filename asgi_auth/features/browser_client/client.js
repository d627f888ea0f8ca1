// The types in client.d.ts say what each part does.
const RENAMED = {};

const TYPE = "Content-Type", JSON_TYPE = "application/json", PROBLEM = "application/problem+json";
// The codes of a 401 that is about the session.
const OF_SESSION = new Set(["unauthorized", "invalid_token", "token_expired", "token_revoked", "token_reuse"]);
const SETUP = "second_factor_setup_required", EXPIRED = "token_expired";
const SECOND = { otp: "/login/totp", recovery: "/login/recovery-code" };
// Milliseconds: of a call, of a message to another tab, and of a challenge.
const CALL = 30_000, TAB = 50, CHALLENGE = 240_000;

export class AuthError extends Error {
  name = "AuthError";

  constructor(problem, status, retryAfter, cause) {
    super(problem.detail ?? problem.code, { cause });
    Object.assign(this, { ways: [], factors: [] }, problem, { fields: problem.errors ?? {}, status, retryAfter });
  }

  get isStepUp() { return ["fresh_login_required", "second_factor_needed"].includes(this.code); }

  static async of(response) {
    const { status, headers } = response, seconds = Number(headers.get("Retry-After")) || undefined;
    return new AuthError(await problemOf(response) ?? { code: `http_${status}` }, status, seconds);
  }
}

async function problemOf(response) {
  if (!response.headers.get(TYPE)?.startsWith(PROBLEM)) return undefined;
  return response.clone().json().catch(() => undefined);
}

// No answer of the library.
const unreached = (cause) => new AuthError({ code: "offline" }, 0, undefined, cause);
const sleep = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

// A browser may forbid storage and channels.
function quietly(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function untilAborted(work, signal) {
  return new Promise((done, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    if (signal.aborted) reject(signal.reason);
    work.then(done, reject);
  });
}

export function createClient(options = {}) {
  const { base = new URL(".", import.meta.url), transport = "cookie", origins = [], storage } = options;
  const bearer = transport === "bearer";
  if (!bearer && transport !== "cookie") throw new TypeError("transport is cookie or bearer");
  if (storage && !bearer) throw new TypeError("storage is for bearer tokens");
  const absolute = (url) => new URL(url, location.href);
  const root = absolute(base).href.replace(/\/$/, "");
  const name = `asgi_auth ${transport} ${root}`;
  const trusted = new Set([root, ...origins].map((url) => absolute(url).origin));
  const listeners = new Set();

  // Replaced as a whole. `user` is undefined until it is known, and null after a logout. `at` orders the states of all
  // tabs. `since` and `ttl` tell the age of the access token by the clock of this device alone.
  let state = { at: 0 };
  let pending, renewing, failure;
  const isIn = (each) => Boolean(each.user || each.ttl);
  const isSameUser = (each) => each.user?.id === state.user?.id;

  function take(next) {
    if (!(next?.at > state.at)) return;
    const before = JSON.stringify(state.user), { user } = state = next;
    if (JSON.stringify(user) === before) return;
    for (const listener of listeners) queueMicrotask(() => listener(user));
  }

  function change(next, at = Math.max(Date.now(), state.at + 1)) {
    const changed = { ...next, at };
    quietly(() => storage?.setItem(name, JSON.stringify(changed)));
    tell({ state: changed });
    take(changed);
  }

  // Other tabs hear of every change, and a new tab asks for the state.
  const channel = quietly(() => new BroadcastChannel(name));
  const tell = (message) => quietly(() => channel?.postMessage(message));
  const ask = () => tell({ asks: true });
  const load = () => take(quietly(() => JSON.parse(storage?.getItem(name))));

  channel?.addEventListener("message", ({ data }) => {
    if (data.asks) return state.at && tell({ state });
    failure = data.failure;
    take(data.state);
  });
  addEventListener("storage", load);
  // A page from the back/forward cache has heard nothing.
  addEventListener("pageshow", (event) => { if (event.persisted) load(), ask(); });
  load();
  ask();
  const ready = bearer && !state.at && sleep(2 * TAB);

  // One at a time over all tabs; without Web Locks, in this tab.
  let queue = Promise.resolve();

  async function locked(work) {
    let begun = false;
    const run = () => {
      begun = true;
      load();
      return work();
    };
    const alone = () => queue = queue.then(run, run);
    try {
      return await (navigator.locks ? navigator.locks.request(name, run) : alone());
    } catch (error) {
      // Without storage there are no locks.
      if (begun || error.name !== "SecurityError") throw error;
      return alone();
    }
  }

  const at = (path) => RENAMED[path] ?? path;
  const authorize = (headers) => bearer && state.access && headers.set("Authorization", `Bearer ${state.access}`);

  async function send(method, path, values = {}, credentials = bearer ? "omit" : "include") {
    const rest = { ...values };
    const url = new URL(root + path.replace(/\{(\w+)\}/g, (_, key) => {
      const value = rest[key];
      delete rest[key];
      // Dots alone or nothing name another path.
      if (/^\.*$/.test(value)) throw new TypeError(key);
      return encodeURIComponent(value);
    }));
    const headers = new Headers({ Accept: JSON_TYPE, "Auth-Transport": transport });
    const init = { method, credentials, headers, cache: "no-store", signal: AbortSignal.timeout(CALL) };
    if (method === "GET") {
      for (const key in rest) if (rest[key] != null) url.searchParams.set(key, rest[key]);
    } else if (Object.keys(rest).length) {
      headers.set(TYPE, JSON_TYPE);
      init.body = JSON.stringify(rest);
    }
    authorize(headers);
    try {
      const response = await fetch(url, init);
      if (!response.ok) throw await AuthError.of(response);
      if (response.status === 204) return null;
      return await (response.headers.get(TYPE)?.startsWith(JSON_TYPE) ? response.json() : response.text());
    } catch (error) {
      throw error instanceof AuthError ? error : unreached(error);
    }
  }

  async function me() {
    const user = await send("GET", at("/me"));
    if (!user?.id) throw unreached();
    return user;
  }

  const kept = (tokens) => ({
    ...(bearer && { access: tokens.access_token, refresh: tokens.refresh_token }),
    since: Date.now(), ttl: tokens.expires_in * 1000,
  });

  // Take the tokens of an answer, and their user, if the server tells.
  async function enter(answer) {
    const tokens = answer?.tokens ?? answer;
    if (!tokens?.token_type) return answer;
    pending = undefined;
    state = { ...state, ...kept(tokens) };
    let user;
    try {
      user = await me();
    } finally {
      change({ ...state, user });
    }
    return answer;
  }

  // Call an endpoint; renew and repeat once. What writes may change the session.
  async function call(method, path, values, credentials) {
    if (isExpired()) await renew(state);
    const before = state;
    const attempt = () => send(method, path, values, credentials);
    const whole = () => method === "GET" ? attempt() : locked(async () => enter(await attempt()));
    try {
      return await whole();
    } catch (error) {
      if (!isIn(before) || !isOfSession(error) || !await renews(before, error.code)) throw error;
      return whole();
    }
  }

  const isOfSession = (error) => error.status === 401 && OF_SESSION.has(error.code);
  const renews = async (before, code) => await renew(before, code) && code === EXPIRED && isSameUser(before);

  function isExpired() {
    const age = Date.now() - state.since;
    // A cookie ends with its token. A bearer token is renewed a little earlier.
    return state.ttl && !(age >= 0 && age < state.ttl * (bearer ? 0.95 : 1));
  }

  // Renew the tokens of a state, or ask whether its session lives. One call over all tabs.
  function renew(before, code = EXPIRED) {
    if (renewing?.before !== before) {
      failure = undefined;
      const ends = () => { renewing = undefined; };
      renewing = { before, done: locked(() => renewAlone(before, code)) };
      renewing.done.then(ends, ends);
    }
    return renewing.done;
  }

  async function renewAlone(before, code) {
    const isDone = () => state.since !== before.since || !isIn(state);
    // What the tab before this one has told may be on its way.
    if (!isDone()) await sleep(TAB);
    if (isDone()) return isIn(state);
    if (failure?.of === before.at) throw new AuthError(...failure.error);
    try {
      const next = bearer && code === EXPIRED ? await exchanged(before) : { user: await me() };
      if (!bearer && code === EXPIRED) next.since = Date.now();
      if (!isDone()) change({ ...state, ...next });
    } catch (error) {
      if (!isOfSession(error)) {
        const { code, message: detail, status, retryAfter } = error;
        tell({ failure: { of: before.at, error: [{ code, detail }, status, retryAfter] } });
        throw error;
      }
      if (error.code === EXPIRED && code !== EXPIRED) return renewAlone(before, EXPIRED);
      if (!isDone()) forget();
    }
    return isIn(state);
  }

  async function exchanged({ refresh: refresh_token }) {
    if (!refresh_token) throw new AuthError({ code: EXPIRED }, 401);
    const tokens = await send("POST", at("/refresh"), { refresh_token });
    if (!tokens?.access_token) throw unreached();
    return kept(tokens);
  }

  const forget = () => change({ user: null });

  // A login that waits for a second factor is a result, and no error.
  async function loginBy(path, values, credentials) {
    try {
      await call("POST", path, values, credentials);
      return { user: state.user };
    } catch (error) {
      const { code, factors, expires_in } = error, setup = code === SETUP;
      if (!setup && code !== "second_factor_required") throw error;
      ({ pending } = error);
      return { user: null, factors, setup, pending, expires_in };
    }
  }

  const client = {
    base: root,
    get user() { return state.user; },
    register: (values) => client.post(at("/register"), values),
    login: (values) => loginBy(at("/login"), values),
    loginBy: (path, values) => loginBy(path, values),

    second(factor, values) {
      const more = pending && { pending };
      return factor === "passkey" ? byPasskey(more) : loginBy(at(SECOND[factor]), { ...more, ...values });
    },

    async session() {
      await ready;
      const isEmpty = bearer && !state.access, asked = isEmpty ? 1 : Date.now();
      let user = null;
      try {
        // Restored tabs: one after the other.
        if (!isEmpty) user = await (state.at ? call("GET", at("/me")) : locked(me));
      } catch (error) {
        if (!isOfSession(error)) throw error;
      }
      // A login or logout of another tab meanwhile is newer.
      if (state.at < asked && JSON.stringify(user) !== JSON.stringify(state.user)) change({ ...state, user }, asked);
      return state.user;
    },

    logout: () => locked(async () => {
      try {
        if (!bearer || state.refresh) await send("POST", at("/logout"), { refresh_token: state.refresh });
      } catch (error) {
        if (!isOfSession(error)) throw error;
      }
      forget();
    }),

    onChange(listener) {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },

    async fetch(input, init) {
      const request = new Request(input, init);
      if (!trusted.has(new URL(request.url).origin) || request.headers.has("Authorization")) return fetch(request);
      await ready;
      if (isExpired()) await untilAborted(renew(state), request.signal);
      const before = state;
      const sent = (each) => {
        authorize(each.headers);
        const isPlain = bearer || each.credentials === "omit";
        return fetch(isPlain ? each : new Request(each, { credentials: "include" }));
      };
      // The first attempt sends a copy: the second one has the whole body.
      const response = await sent(isIn(before) ? request.clone() : request);
      const code = isIn(before) && response.status === 401 && (await problemOf(response))?.code;
      if (!OF_SESSION.has(code)) return response;
      return await untilAborted(renews(before, code), request.signal) ? sent(request) : response;
    },

    async socket(url, protocols = []) {
      const target = absolute(url);
      if (!trusted.has(target.origin.replace(/^ws/, "http"))) throw new TypeError(`${target.origin} is not in origins`);
      await ready;
      if (isExpired()) await renew(state);
      return new WebSocket(target, bearer && state.access ? [...protocols, `bearer.${state.access}`] : protocols);
    },
  };

  for (const method of ["get", "post", "patch", "delete"]) {
    client[method] = (path, values) => call(method.toUpperCase(), path, values);
  }

  // Passkeys: a browser has one ceremony at a time.
  const Key = globalThis.PublicKeyCredential;
  let stop = new AbortController();

  async function ceremony(path, values, { mediation, credentials } = {}) {
    stop.abort();
    const { signal } = stop = new AbortController();
    for (;;) {
      const { options, ...more } = await call("POST", at(`${path}/options`), values, credentials);
      const aged = AbortSignal.any([signal, AbortSignal.timeout(CHALLENGE)]);
      const [method, parse] = [ADD, SIGN_UP].includes(path) ? ["create", "Creation"] : ["get", "Request"];
      try {
        const publicKey = Key[`parse${parse}OptionsFromJSON`](options);
        const credential = (await navigator.credentials[method]({ publicKey, mediation, signal: aged })).toJSON();
        return { ...values, ...more, credential };
      } catch (error) {
        // Autofill waits for longer than a challenge lasts.
        if (error.name !== "TimeoutError" || signal.aborted) throw error;
      }
    }
  }

  const ADD = "/passkeys", SIGN_UP = "/register/passkey";
  const LOGIN = "/login/passkey", PROOF = "/reauthenticate/passkey";
  const byPasskey = async (more, how) => loginBy(at(LOGIN), await ceremony(LOGIN, more, how));

  client.passkeys = {
    isSupported: Boolean(Key?.parseRequestOptionsFromJSON),
    // Without the cookie of a login that waits for a second factor.
    login: ({ autofill } = {}) => byPasskey({}, { credentials: "omit", mediation: autofill && "conditional" }),
    register: async (values) => client.post(at(SIGN_UP), await ceremony(SIGN_UP, values)),
    add: async (name, more) => client.post(at(ADD), { ...await ceremony(ADD, more), name }),
    prove: async () => client.post(at(PROOF), await ceremony(PROOF)),
    stop: () => stop.abort(),
  };
  return client;
}
