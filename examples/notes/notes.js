import { AuthError, createClient } from "/auth/client.js";

const auth = createClient();
const at = (id) => document.getElementById(id);
const values = (form) => Object.fromEntries(new FormData(form));

/** Do something, and show why it was refused. */
async function attempt(work) {
  at("error").textContent = "";
  try {
    await work();
  } catch (error) {
    const reasons = Object.values(error.fields ?? {}).flat();
    at("error").textContent = reasons.join(" ") || error.message;
  }
}

function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await work(values(form), event.submitter.value);
      form.reset();
    });
  });
}

async function api(path, init) {
  const response = await auth.fetch(path, init);
  if (!response.ok) throw await AuthError.of(response);
  return response.json();
}

function list(notes) {
  at("notes").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

async function show(user) {
  at("entrance").hidden = Boolean(user);
  at("desk").hidden = !user;
  at("who").textContent = user?.email ?? "";
  list(user ? await api("/api/notes") : []);
}

onSubmit(at("entrance"), async (account, action) => {
  if (action === "register") await auth.register(account);
  await auth.login(account);
});
onSubmit(at("writing"), async (note) => {
  const headers = { "Content-Type": "application/json" };
  list(await api("/api/notes", { method: "POST", headers, body: JSON.stringify(note) }));
});
at("logout").addEventListener("click", () => attempt(auth.logout));

auth.onChange((user) => attempt(() => show(user)));
await attempt(auth.session);
