// Prevents a second click, which would use the link of a mail twice. Pages work without this script.
for (const form of document.forms) {
  const buttons = form.querySelectorAll("button:not([type])");
  const disable = (disabled) => { for (const button of buttons) button.disabled = disabled; };
  form.addEventListener("submit", () => disable(true));
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

// The button that shows a password; hidden without this script.
for (const button of document.querySelectorAll("button.reveal")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
  });
  // Password managers store the values of password inputs only.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}
