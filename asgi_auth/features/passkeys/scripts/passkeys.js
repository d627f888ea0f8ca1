// Passkeys: a form asks the browser for one, and sends its answer. Without this script these forms stay hidden.
{
  const Key = window.PublicKeyCredential;
  const forms = [...document.querySelectorAll("form[data-form*=passkey]")];
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const bytes = (encoded) => Uint8Array.from(
    atob(encoded.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const known = (list) => list.map((item) => ({ ...item, id: bytes(item.id) }));

  // Browsers of before 2025 read no JSON.
  const forCreate = (options) => Key.parseCreationOptionsFromJSON?.(options) ?? {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const forGet = (options) => Key.parseRequestOptionsFromJSON?.(options) ?? {
    ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials),
  };
  const plain = (key) => {
    if (key.toJSON) return key.toJSON();
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (key.response[name]) response[name] = text(key.response[name]);
    }
    if (key.response.getTransports) response.transports = key.response.getTransports();
    return { id: key.id, rawId: text(key.rawId), type: key.type, response };
  };

  class Refused extends Error {}
  const creates = (form) => ["add_passkey", "passkey_sign_up"].includes(form.dataset.form);

  // A registration asks for the passkey of an address.
  const askedWith = (form, isAlone) => {
    if (form.dataset.form === "passkey_sign_up") return { email: form.elements.email.value };
    const pending = form.elements.pending?.value;
    return pending && !isAlone ? { pending } : {};
  };

  const optionsOf = async (form) => {
    // The login page asks for any passkey, also where the browser has a login that waits for its second factor.
    const isAlone = form.elements.page?.value === "login";
    const answer = await fetch(form.action.split("?")[0] + "/options", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(askedWith(form, isAlone)),
      credentials: isAlone ? "omit" : "same-origin",
    });
    if (!answer.ok) throw new Refused();
    const { options, request } = await answer.json();
    if (request && form.elements.request) form.elements.request.value = request;
    return options;
  };

  // The request that waits for the user; a browser has one at a time.
  let stop = new AbortController();
  const ask = async (form, mediation) => {
    stop.abort();
    const { signal } = stop = new AbortController();
    const options = await optionsOf(form);
    const key = creates(form)
      ? await navigator.credentials.create({ publicKey: forCreate(options), signal })
      : await navigator.credentials.get({ publicKey: forGet(options), mediation, signal });
    form.elements.credential.value = JSON.stringify(plain(key));
    form.submit();
  };

  const tell = (form) => {
    const alert = form.querySelector(".alert") ?? document.createElement("div");
    alert.className = "alert";
    alert.setAttribute("role", "alert");
    alert.textContent = form.dataset.failed;
    form.prepend(alert);
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  };

  const onSubmit = async (event) => {
    event.preventDefault();
    clearInterval(timer);
    const form = event.target;
    try {
      await ask(form, "optional");
    } catch (error) {
      // The page says why the options were refused, and leads on, as to the proof of a fresh login.
      const other = document.querySelector("form[action*='passkeys/options']");
      if (error instanceof Refused && form.dataset.form === "add_passkey" && other) other.submit();
      else if (error instanceof Refused && form.dataset.form === "passkey_sign_up") {
        form.elements.request.value = form.elements.credential.value = "{}";
        form.submit();
      } else tell(form);
    }
  };

  // Autofill: the passkeys are among the suggestions of the field of the address. Challenges last five minutes.
  let timer = 0;
  const offer = async (form) => {
    const field = document.querySelector("input[autocomplete~=username]");
    if (!field || !(await Key.isConditionalMediationAvailable?.())) return;
    field.autocomplete = "username webauthn";
    const wait = () => ask(form, "conditional").catch((error) => {
      if (error.name !== "AbortError") clearInterval(timer);
    });
    timer = setInterval(wait, 240000);
    wait();
  };
  // The register page asks once for what both of its forms need.
  const share = (form) => {
    const main = document.querySelector("input[autocomplete=new-password]")?.form;
    if (!main) return;
    const shared = [...main.elements].filter((item) => item.name && !["hidden", "password"].includes(item.type));
    form.querySelector("button").addEventListener("click", (event) => {
      if (!shared.every((item) => item.reportValidity())) return event.preventDefault();
      const sent = new FormData(main);
      for (const { name } of shared) {
        form.elements[name]?.remove();
        if (!sent.has(name)) continue;
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: sent.get(name) }));
      }
    });
  };

  window.addEventListener("pagehide", () => { clearInterval(timer); stop.abort(); });

  if (!Key) {
    const note = document.getElementById("no-passkeys");
    if (note) note.hidden = false;
  }
  for (const form of Key ? forms : []) {
    form.hidden = false;
    const around = form.closest("section[hidden]");
    if (around) around.hidden = false;
    form.addEventListener("submit", onSubmit);
    const { unknown } = form.dataset;
    if (unknown) Key.signalUnknownCredential?.(JSON.parse(unknown))?.catch(() => {});
    // A browser may show the page again as it was left.
    if (form.dataset.form === "passkey_sign_up") share(form);
    if (form.elements.page?.value === "login") window.addEventListener("pageshow", () => offer(form));
  }

  // Password managers forget the passkeys that were deleted.
  const accepted = document.querySelector("[data-accepted]")?.dataset.accepted;
  if (Key && accepted) Key.signalAllAcceptedCredentials?.(JSON.parse(accepted))?.catch(() => {});
}
