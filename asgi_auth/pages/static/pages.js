// Prevents a second click, which would use the link of a mail twice. Pages work without this script.
for (const form of document.forms) {
  const buttons = form.querySelectorAll("button:not([type])");
  const disable = (disabled) => { for (const button of buttons) button.disabled = disabled; };
  // Afterwards: the value of a disabled button is not sent.
  form.addEventListener("submit", () => setTimeout(disable, 0, true));
  // Browsers may restore the page with its buttons disabled.
  window.addEventListener("pageshow", () => disable(false));
}

// A link to a part of the account page opens it; most browsers do so themselves.
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const part = target && target.closest("details");
  if (!part || part.open) return;
  part.open = true;
  target.scrollIntoView();
};
window.addEventListener("hashchange", reveal);
reveal();

// The button that asks for another mail counts down first: the server sends none before. Without this it can be pressed.
for (const form of document.querySelectorAll("form[data-wait]")) {
  const button = form.querySelector("button"), text = button.textContent;
  const end = Date.now() + 1000 * form.dataset.wait;
  const count = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${text} (${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")})` : text;
    if (left > 0) setTimeout(count, 1000);
  };
  count();
}

// Digits of a code in groups, as they are typed at its end.
for (const input of document.querySelectorAll("input[inputmode=numeric][data-group]")) {
  const groups = new RegExp(`(\\d{${input.dataset.group}})(?=\\d)`, "g");
  input.addEventListener("input", (event) => {
    const typed = input.value, atEnd = input.selectionStart === typed.length;
    if (event.inputType?.startsWith("delete") || !atEnd || /[^\d\s-]/.test(typed)) return;
    input.value = typed.replace(/\D/g, "").replace(groups, "$1 ");
  });
}

// The button that shows a password; hidden without this script, which draws its eye: crossed while the password is shown.
const EYE = `<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="1.75"
stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5
12 18.5 2.5 12 2.5 12Z"/><circle cx="12" cy="12" r="3"/><path class="cross" d="M4 4l16 16"/></svg>`;
for (const button of document.querySelectorAll("button.reveal")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const text = button.lastElementChild, show = text.textContent;
  button.insertAdjacentHTML("afterbegin", EYE);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.classList.toggle("shown", shown);
    text.textContent = shown ? button.dataset.hide : show;
  });
  // Password managers store the values of password inputs only.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

// What can be said of a new password before it is sent: its length, patterns, and the address. The lists of common ones
// are on the server, which checks them when the form is sent.
for (const note of document.querySelectorAll(".strength")) {
  const input = document.getElementById(note.dataset.for);
  const address = input.form.querySelector("[autocomplete~=username]");
  const kind = (typed) => {
    const letters = [...typed], text = typed.toLowerCase();
    const steps = new Set(letters.slice(1).map((letter, at) => letter.codePointAt(0) - letters[at].codePointAt(0)));
    const name = (address?.value ?? "").toLowerCase().split("@")[0];
    if (letters.length < input.minLength) return "short";
    if (/^(.{1,4})\1+$/u.test(text) || (steps.size === 1 && (steps.has(1) || steps.has(-1)))) return "pattern";
    if (name.length > 3 && text.replace(/[\d\W]+$/, "") === name) return "own";
    return letters.length < 15 ? "enough" : "long";
  };
  input.addEventListener("input", () => {
    const found = input.value && kind(input.value);
    note.hidden = !found;
    note.className = `strength ${found}`;
    note.textContent = note.dataset[found] ?? "";
  });
}

// Times as people say them; the exact one is the title.
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
for (const time of document.querySelectorAll("time.moment")) {
  const at = new Date(time.dateTime), seconds = (at - Date.now()) / 1000;
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units[3];
  time.title = exact.format(at);
  if (Math.abs(seconds) < 30 * 86400) time.textContent = relative.format(Math.round(seconds / size), unit);
}
