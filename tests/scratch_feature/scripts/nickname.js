// Selects a key by one click. Pages work without this script.
for (const key of document.querySelectorAll("code.key")) {
  key.addEventListener("click", () => getSelection().selectAllChildren(key));
}
