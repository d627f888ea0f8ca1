// One click is enough: a second one would use the link of a mail twice. Without this script all works but that.
for (const form of document.forms) {
  const buttons = form.querySelectorAll("button:not([type])");
  const disable = (disabled) => { for (const button of buttons) button.disabled = disabled; };
  form.addEventListener("submit", () => disable(true));
  // The page may come back as it was left.
  window.addEventListener("pageshow", () => disable(false));
}

// The button beside a password that shows it. Without this script there is no button, and all else works.
for (const button of document.querySelectorAll("button.reveal")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
  });
  // A manager keeps what was sent as a password only.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}
