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
